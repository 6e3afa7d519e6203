"""Processes of services: start one that outlives us, find it again, end it with everything it started.

Imports what it needs inside functions: a `trilho run` that changes nothing only asks whether the server answers.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import subprocess

    import psutil

    from trilho.platform.service import Record

# Kept so that a service which dies while we live is reaped, and so that Python does not warn about a process it
# believes forgotten: outliving us is what it is for.
_started: list[subprocess.Popen[bytes]] = []

_KILLED_SECONDS = 10.0  # a kill is done at once; on a busy machine, or where memory is written to disk, soon

# Settings that would lead a server of ours astray: MLflow's own hand-over between its processes, Prometheus' folder,
# and pytest's mark, which makes MLflow's stores check themselves as if under its own tests.
_NOT_INHERITED = ("_MLFLOW_", "prometheus_multiproc_dir", "PROMETHEUS_MULTIPROC_DIR", "PYTEST_CURRENT_TEST")


def launch(command: Sequence[str], *, folder: Path, log: Path) -> int:
    """Start a process that survives us and our terminal, its output appended to `log`; returns its id."""
    import subprocess

    detached = 0
    if sys.platform == "win32":
        detached = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
    with log.open("ab") as out:
        process = subprocess.Popen(
            list(command),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            env=_environment(os.environ),
            start_new_session=os.name == "posix",
            creationflags=detached,
        )
    _started.append(process)
    return process.pid


def find(record: Record) -> psutil.Process | None:
    """The living process of `record`, known by the id on its command line; None where it has ended.

    A process id alone says nothing: it may long belong to somebody else. The start time would do, but jumps with the
    clock of a laptop or virtual machine that slept.
    """
    import psutil

    if record.pid is None:  # whoever started it was killed between starting it and noting its process id
        return next((process for process in psutil.process_iter() if _is(process, record)), None)
    try:
        process = psutil.Process(record.pid)
    except psutil.NoSuchProcess:
        return None
    # The system shows no command line for the moment in which a new process becomes its program.
    return process if _is(process, record, looks=50) else None


def lives(process: psutil.Process) -> bool:
    """Whether it runs. One that has ended but waits for its parent to ask about it does not."""
    import psutil

    _started[:] = [ours for ours in _started if ours.poll() is None]  # do not be such a parent
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end(process: psutil.Process, *, seconds: float) -> bool:
    """Ask `process` and all it started to end, kill what has not after `seconds`; whether all of it is gone.

    What was killed ends without being asked, but not before the system has the time for it.
    """
    family = _family(process)
    for member in family:
        _signal(member, kill=False)
    alive = _outlast(family, seconds)
    stubborn = list({late for member in alive for late in _family(member)})
    for member in stubborn:
        _signal(member, kill=True)
    return not _outlast(stubborn, max(seconds, _KILLED_SECONDS))


def memory(process: psutil.Process) -> int:
    """Bytes resident in `process` and all it started."""
    import psutil

    total = 0
    for member in _family(process):
        try:
            total += member.memory_info().rss
        except psutil.Error:
            continue
    return total


def owner_of(port: int) -> str:
    """Who listens at `port`: "name (pid 123)", or "" where the system does not tell."""
    import psutil

    try:
        for connection in psutil.net_connections(kind="tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except psutil.Error:
        pass
    return ""


def _environment(ours: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in ours.items() if not name.startswith(_NOT_INHERITED)}
    return {**kept, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"}


def _is(process: psutil.Process, record: Record, *, looks: int = 1) -> bool:
    import psutil

    try:
        for _ in range(looks):
            if not lives(process):
                return False
            if shown := process.cmdline():
                return record.id in shown
            time.sleep(0.002)
    except psutil.Error:
        pass
    return False


def _outlast(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """Those that still live after `seconds`."""
    deadline = time.monotonic() + seconds
    while processes := [process for process in processes if lives(process)]:
        if time.monotonic() > deadline:
            break
        time.sleep(0.02)
    return processes


def _family(process: psutil.Process) -> list[psutil.Process]:
    import psutil

    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return [process]


def _signal(process: psutil.Process, *, kill: bool) -> None:
    import psutil

    # Gone already is as good; what we may not signal shows when it is waited for.
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        if kill:
            process.kill()
        else:
            process.terminate()
