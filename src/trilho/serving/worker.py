"""One process that answers: the application in a uvicorn server, on a socket that its parent opened.

`python -m trilho.serving.worker` reads its orders as one line from its standard input, and ends, after what is in
flight, when that input ends: so it does when the parent asks it to, and when the parent is gone, on every system.
"""

from __future__ import annotations

import base64
import gc
import logging
import os
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import uvicorn

from trilho.errors import TrilhoError
from trilho.journal import Journal
from trilho.serving.asking import Desk
from trilho.serving.assembly import assembled
from trilho.serving.batching import pays, rows_at_once
from trilho.serving.connection import protocol
from trilho.serving.counting import Counts, Folder
from trilho.serving.health import take_stock
from trilho.serving.holding import Holding, write_holding
from trilho.serving.invocations import Limits
from trilho.serving.keys import Keys
from trilho.serving.orders import COUNTS, Orders, told
from trilho.serving.pointer import Pointer, Target, Watch
from trilho.serving.slot import Served, Slot
from trilho.serving.state import read_state
from trilho.serving.trying import open_warm

LOOK_SECONDS = 0.1  # between looks at the pointer
COUNT_SECONDS = 1.0  # between writings of the counts
OTHER_FILES = 200  # open beside the connections: libraries, journal, pipes
LONGEST_PAUSE = 60.0  # between two attempts to open what the pointer names
SERVICE_HEADER = "x-trilho-service"


class Worker:
    """Answers with what the pointer names, and follows it.

    Args:
        slot: Gets the model; requests read it.
    """

    def __init__(self, orders: Orders, slot: Slot) -> None:
        self._orders = orders
        self._folder = Path(orders.folder)
        self._slot = slot
        self._watch = Watch(self._folder)
        self._pointer: Pointer | None = None
        self._digest = ""  # of what is in the slot
        self._attempts = 0
        self._again = 0.0  # when to try once more what did not open

    def look(self) -> bool:
        """Follow the pointer if it moved; whether there is one, and it was followed."""
        pointer = self._watch.changed()
        if pointer is not None:
            self._pointer, self._attempts = pointer, 0
        elif self._pointer is None or not self._attempts or time.monotonic() < self._again:
            return self._pointer is not None and not self._attempts
        else:
            pointer = self._pointer
        return self._follow(pointer)

    def _follow(self, pointer: Pointer) -> bool:
        target = pointer.target
        if target is not None and not self._has(target):
            try:
                path, trusted = Path(target.path), self._orders.trusted
                predictor = open_warm(path, trust_code=self._orders.trust_code, trusted=trusted)
            except TrilhoError as error:
                self._attempts += 1
                self._again = time.monotonic() + min(2.0**self._attempts, LONGEST_PAUSE)
                self._say(pointer, error)
                return False
            native = predictor.runtime == "native"
            fresh = Served(
                predictor=predictor,
                name=target.name,
                version=target.version,
                since=pointer.since,
                batched=native and pays(predictor),
                quick=rows_at_once(predictor) if native else 0,
            )
            self._slot.swap(fresh)
            self._digest = target.digest
        self._attempts = 0
        self._say(pointer, None)
        return True

    def _has(self, target: Target) -> bool:
        served = self._slot.served
        held = (served.name, served.version, self._digest) if served is not None else None
        return held == (target.name, target.version, target.digest)

    def _say(self, pointer: Pointer, error: TrilhoError | None) -> None:
        served = self._slot.served
        holding = Holding(
            pid=os.getpid(),
            number=pointer.number,
            version=served.version if served is not None else "",
            failure=told(error) if error is not None else None,
        )
        write_holding(self._folder, holding)


def work(orders: Orders, sock: socket.socket, ended: threading.Event) -> None:
    """Answer until `ended` is set or SIGTERM comes; then finish what is in flight, write journal and counts, return."""
    journal = Journal(Path(orders.journal), columns=orders.columns) if orders.share > 0 else None
    slot, counts, folder = Slot(), Counts(), Path(orders.folder)
    desk = Desk(slot, counts, journal, share=orders.share)
    counted = Folder(folder / COUNTS)
    worker = Worker(orders, slot)
    try:
        while not worker.look():
            if ended.wait(0.02):
                return
        server = uvicorn.Server(_configured(orders, _application(orders, desk, counted)))
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
        np.seterr(over="ignore")  # numbers too large are looked for by their squares, which may overflow
        gc.collect()
        gc.freeze()  # what is loaded stays: looking at it again and again would hold requests up
        threading.Thread(target=_attend, args=(worker, desk, counted, ended, server), daemon=True).start()
        server.run(sockets=[sock])
    finally:
        ended.set()
        if journal is not None:
            journal.close()
        _write_counts(desk, counted)


# ----------------------------------------------------------------------------------------------------------------------


def _application(orders: Orders, desk: Desk, counted: Folder) -> Any:
    """The one place where the application is put together."""
    folder = Path(orders.folder)
    return assembled(
        desk,
        journal=Path(orders.journal),
        keys=Keys.from_environment(),
        limits=Limits(body_bytes=orders.max_body, rows=orders.max_rows),
        concurrency=orders.concurrency,
        origins=orders.cors,
        state=lambda: read_state(folder),
        together=counted.together,
        headers=((SERVICE_HEADER.encode(), orders.service_id.encode()),) if orders.service_id else (),
    )


def _configured(orders: Orders, application: Any) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        loop="uvloop" if find_spec("uvloop") else "asyncio",
        http=_protocol(orders),
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=int(orders.keep_seconds),
        timeout_graceful_shutdown=int(orders.stop_seconds),
    )


def _protocol(orders: Orders) -> Any:
    return protocol(connections=orders.connections, head_seconds=orders.head_seconds, body_seconds=orders.body_seconds)


def _attend(worker: Worker, desk: Desk, counted: Folder, ended: threading.Event, server: uvicorn.Server) -> None:
    """Beside the loop that answers: follow the pointer, write the counts, stop the server when it is time."""
    due = 0.0
    while not ended.wait(LOOK_SECONDS):
        try:
            worker.look()
        except Exception:  # nothing that happens here may leave the server without a follower
            logging.getLogger("trilho.serving").exception("following the pointer failed")
        if time.monotonic() >= due:
            _write_counts(desk, counted)
            due = time.monotonic() + COUNT_SECONDS
    server.should_exit = True


def _write_counts(desk: Desk, counted: Folder) -> None:
    try:
        counted.write(take_stock(desk))
    except OSError:  # a full disk: the counts are in memory, and are written when there is room
        return


def _listening(orders: Orders) -> socket.socket:
    """The parent's socket, with TCP named: else asyncio would leave TCP_NODELAY off, and answers wait for 40 ms."""
    if orders.shared:
        return socket.fromshare(base64.b64decode(orders.shared))  # type: ignore[attr-defined,no-any-return]
    return socket.socket(orders.family, socket.SOCK_STREAM, socket.IPPROTO_TCP, fileno=orders.descriptor)


def _end_with_parent(ended: threading.Event, seconds: float) -> None:
    """The parent holds the other end of our input: it closes it to stop us, and so does the system if it is killed."""
    while os.read(sys.stdin.fileno(), 1024):
        continue
    ended.set()
    time.sleep(seconds)
    os._exit(1)  # something in flight does not end


def _allow_files(wanted: int) -> None:
    """Each connection is an open file, and most systems begin with a limit of 256 or 1024 of them."""
    if not find_spec("resource"):
        return  # Windows has no such limit
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s worker %(process)d: %(message)s")
    for name in ("uvicorn", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
    for name in ("SIGINT", "SIGBREAK"):  # Ctrl-C reaches the whole group: the parent says when it is time
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    orders = msgspec.json.decode(sys.stdin.buffer.readline(), type=Orders)
    _allow_files(orders.connections + OTHER_FILES)
    ended = threading.Event()
    threading.Thread(target=_end_with_parent, args=(ended, orders.stop_seconds + 5), daemon=True).start()
    work(orders, _listening(orders), ended)
    sys.stdout.flush()
    os._exit(0)  # the thread that waits for the parent holds the input's lock, which taking Python apart would want


if __name__ == "__main__":
    _main()
