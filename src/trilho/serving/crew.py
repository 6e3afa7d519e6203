"""The worker processes of one server: started by command, watched, replaced when they die, stopped."""

from __future__ import annotations

import base64
import logging
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from trilho.serving.counting import fold
from trilho.serving.holding import Holding, forget_holding, read_holding
from trilho.serving.orders import COUNTS, Orders
from trilho.serving.server import Listening

LONGEST_PAUSE = 30.0  # between two attempts to replace a worker that dies at once
HEALTHY_SECONDS = 10.0  # one that lived so long is replaced at once

_log = logging.getLogger("trilho.serving")


@dataclass
class Place:
    """One of the N places of a worker, with the process that fills it now."""

    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    deaths: int = 0  # in a row, each soon after its start
    due: float = 0.0  # when it is filled again


class Crew:
    """Keeps `workers` processes answering on one socket.

    Args:
        orders: What each is told; the socket is added here.
    """

    def __init__(self, listening: Listening, orders: Orders, workers: int) -> None:
        self.restarts = 0
        self._listening = listening
        self._orders = orders
        self._folder = Path(orders.folder)
        self._places = [Place() for _ in range(workers)]
        (self._folder / COUNTS).mkdir(exist_ok=True)

    @property
    def alive(self) -> list[int]:
        """The process ids of those that live."""
        return [place.process.pid for place in self._places if place.process is not None]

    @property
    def worst(self) -> int:
        """How often in a row a worker died soon after its start."""
        return max(place.deaths for place in self._places)

    def holdings(self) -> list[Holding]:
        """What those that live have said."""
        found = (read_holding(self._folder, pid) for pid in self.alive)
        return [holding for holding in found if holding is not None]

    def fill(self) -> None:
        """Start a worker in each empty place that is due, after the dead were taken out of theirs."""
        now = time.monotonic()
        for place in self._places:
            if place.process is not None and place.process.poll() is not None:
                self._bury(place, now)
            if place.process is None and now >= place.due:
                place.process, place.started = self._start(), now

    def stop(self, seconds: float) -> None:
        """Ask all to end after what is in flight, by closing their input; kill those who have not in time."""
        living = [place.process for place in self._places if place.process is not None]
        for process in living:
            _close(process.stdin)
        deadline = time.monotonic() + seconds
        for process in living:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                _log.error("Worker %d does not end; it is killed.", process.pid)
                process.kill()
                process.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "trilho.serving.worker"]
        sock = self._listening.sock
        inherited = () if sys.platform == "win32" else (sock.fileno(),)
        process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=inherited)
        handed = {"family": int(sock.family)}
        if sys.platform == "win32":
            handed |= {"shared": base64.b64encode(sock.share(process.pid)).decode()}
        else:
            handed |= {"descriptor": sock.fileno()}
        line = msgspec.json.encode(msgspec.structs.replace(self._orders, **handed)) + b"\n"
        with suppress(OSError):  # it died already: the next look sees that
            assert process.stdin is not None
            process.stdin.write(line)
            process.stdin.flush()
        return process

    def _bury(self, place: Place, now: float) -> None:
        process = place.process
        assert process is not None
        place.deaths = 0 if now - place.started >= HEALTHY_SECONDS else place.deaths + 1
        pause = min(0.25 * 2**place.deaths, LONGEST_PAUSE) if place.deaths > 1 else 0.0
        place.process, place.due = None, now + pause
        self.restarts += 1
        _close(process.stdin)
        forget_holding(self._folder, process.pid)
        with suppress(OSError):
            fold(self._folder / COUNTS, process.pid)
        when = f"in {pause:.1f} s" if pause else "at once"
        _log.warning("Worker %d ended with %s; it is replaced %s.", process.pid, process.returncode, when)


# ----------------------------------------------------------------------------------------------------------------------


def _close(stream: IO[bytes] | None) -> None:
    if stream is not None:
        with suppress(OSError):
            stream.close()
