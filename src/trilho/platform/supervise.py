"""Start a service once, however many ask at the same time; stop it whole; say how it is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from trilho.errors import ServiceFailed
from trilho.platform import failure, processes
from trilho.platform.answering import answers, choose_port, id_at, is_free
from trilho.platform.logs import put_aside
from trilho.platform.record import read_record, recorded_names, write_record
from trilho.platform.service import Record, Say, Service, Status, log_path, record_path, silent

START_SECONDS = 180.0  # a cold disk takes its time to import MLflow; a service that died is noticed at once
STOP_SECONDS = 10.0
_TELL_EVERY = 10.0
_ATTEMPTS = 3  # at finding a port that nobody takes between our look and the service's own


def ensure(service: Service, *, port: int | None = None, say: Say = silent, seconds: float = START_SECONDS) -> Record:
    """What runs of `service`; it is started where nothing runs. Returns when it answers.

    Args:
        service: What to run.
        port: The port it must have if it has to be started; None: the one it had before it died, else the one it would
            like, else another that is free.
        say: Told in sentences what is going on.
        seconds: How long it may take until it answers.

    Raises:
        ServiceFailed: it died while it started, does not answer, or its folder cannot be written to.
    """
    record = read_record(service.record)
    if record is not None and answers(record):
        return record
    try:
        service.record.parent.mkdir(parents=True, exist_ok=True)
        service.log.parent.mkdir(parents=True, exist_ok=True)
        with _alone(service.state_dir, service.name, say, seconds):
            return _ensure_alone(service, port, say, seconds)
    except OSError as error:
        raise failure.cannot_write(service, error) from error


def stop(state_dir: Path, name: str, *, say: Say = silent, seconds: float = STOP_SECONDS) -> Record | None:
    """End a service and everything it started; None if it was not running.

    Raises:
        ServiceFailed: something of it is still alive.
    """
    path = record_path(state_dir, name)
    if not path.exists():
        return None
    with _alone(state_dir, name, say, START_SECONDS):
        record = read_record(path)
        process = processes.find(record) if record is not None else None
        if process is not None and not processes.end(process, seconds=seconds):
            raise ServiceFailed(
                f"{name} does not end: process {process.pid} survives.",
                state="It is still running.",
                remedy=f"End it as the user who started it, or as administrator: kill -9 {process.pid}",
            )
        path.unlink(missing_ok=True)
        if process is None:
            say(f"{name} had died before; its record is removed.")
            return None
        return record


def status(state_dir: Path, name: str) -> Status:
    """How the service `name` is now."""
    log, record = log_path(state_dir, name), read_record(record_path(state_dir, name))
    if record is None:
        return Status(name=name, state="stopped", log=log)
    process = processes.find(record)
    if process is None:
        return Status(name=name, state="dead", log=log, pid=record.pid, since=record.started)
    healthy = answers(record)
    young = time.time() - record.started < START_SECONDS
    return Status(
        name=name,
        state="running" if healthy else "starting" if young else "not answering",
        log=log,
        pid=process.pid,
        address=record.address,
        since=record.started,
        memory=processes.memory(process),
    )


def statuses(state_dir: Path, services: tuple[Service, ...] = ()) -> list[Status]:
    """How all services are: those the project has, and any other that was started and not stopped."""
    names = [service.name for service in services]
    names += [name for name in recorded_names(state_dir) if name not in names]
    return [status(state_dir, name) for name in names]


def _ensure_alone(service: Service, port: int | None, say: Say, seconds: float) -> Record:
    record = read_record(service.record)
    if record is None:
        return _start(service, port, service.port, say, seconds)
    if answers(record):
        return record
    if processes.find(record) is not None:
        say(f"{service.name} runs, but does not answer yet at {record.address}.")
        if _wait(service.name, record, say, seconds):
            return record
    say(f"{service.name} had died; starting it anew.")
    return _start(service, port, record.port, say, seconds)


def _start(service: Service, demanded: int | None, preferred: int, say: Say, seconds: float) -> Record:
    service.prepare()
    if demanded is not None and not is_free(demanded):
        raise failure.port_taken(service, demanded, _holder(demanded, service.health))
    for attempt in range(1, _ATTEMPTS + 1):
        port = demanded or choose_port(preferred)
        if demanded is None and port != preferred:
            say(f"Port {preferred} is taken by {_holder(preferred, service.health)}; {service.name} gets {port}.")
        put_aside(service.log)
        position = service.log.stat().st_size if service.log.exists() else 0
        try:
            record = _launch(service, port)
            say(f"Starting {service.name} on port {port} …")
            if _wait(service.name, record, say, seconds):
                return record
        except BaseException:  # Ctrl-C, or too slow: nothing half-started stays behind
            begun = read_record(service.record)
            process = processes.find(begun) if begun else None
            if process is not None:
                processes.end(process, seconds=STOP_SECONDS)
            service.record.unlink(missing_ok=True)
            raise
        service.record.unlink(missing_ok=True)
        lost_race = demanded is None and failure.died_of_port(service, position)
        if not lost_race or attempt == _ATTEMPTS:
            break
    raise failure.explain(service, port, position)


def _launch(service: Service, port: int) -> Record:
    record = Record(
        name=service.name,
        id=os.urandom(8).hex(),
        pid=None,
        port=port,
        health=service.health,
        started=time.time(),
    )
    # Written before the process exists: were we killed in between, the id still leads to it.
    write_record(service.record, record)
    command = [*service.command, "--port", str(port), "--id", record.id, "--record", str(service.record.resolve())]
    started = replace(record, pid=processes.launch(command, folder=service.folder, log=service.log))
    write_record(service.record, started)
    return started


def _wait(name: str, record: Record, say: Say, seconds: float) -> bool:
    """True once it answers, False as soon as it has died."""
    begun = said = time.monotonic()
    while True:
        if answers(record):
            return True
        if processes.find(record) is None:
            return False
        now = time.monotonic()
        if now - begun > seconds:
            raise failure.not_answering(record, now - begun)
        if now - said > _TELL_EVERY:
            say(f"Still waiting for {name}, since {now - begun:.0f} s …")
            said = now
        time.sleep(0.03)


@contextmanager
def _alone(state_dir: Path, name: str, say: Say, seconds: float) -> Iterator[None]:
    """One starts or stops a service at a time; the lock goes with the process that holds it, however that ends."""
    import filelock

    lock = filelock.FileLock(record_path(state_dir, name).with_suffix(".lock"))
    try:
        try:
            lock.acquire(timeout=0)
        except filelock.Timeout:
            say(f"Another trilho is starting or stopping {name}; waiting for it.")
            lock.acquire(timeout=seconds + STOP_SECONDS)
    except filelock.Timeout as error:
        raise ServiceFailed(
            f"Another trilho is starting or stopping {name}, since more than {seconds:.0f} s.",
            remedy="Look for it with trilho ps, end it, and try again.",
        ) from error
    try:
        yield
    finally:
        lock.release()


def _holder(port: int, health: str) -> str:
    if id_at(port, health, seconds=0.5):
        return "another trilho service"
    return processes.owner_of(port) or "another program"
