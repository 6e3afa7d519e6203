"""Runs on disk, before and until the server has them: a run is written here first, always.

A spooled run is a folder: `run.json` (the header), `log.jsonl` (what was recorded, in order), `artifacts/`, `model/`,
and `sent.jsonl` (what the server has acknowledged). Each record is one line, written at once, so that a killed process
leaves at most one half line, which reading drops. The writer holds a lock beside the folder as long as it lives, from
before the run can be seen: a run without an end whose lock is free was killed.
"""

from __future__ import annotations

import getpass
import json
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from trilho.errors import SpoolDamaged
from trilho.tracking.run import Record, RunHeader, Status

Clock = Callable[[], float]


class SpooledRun:
    """One run being recorded. Everything recorded is on disk when a call returns."""

    def __init__(self, folder: Path, header: RunHeader, clock: Clock = time.time) -> None:
        self.folder = folder
        self.header = header
        self._clock = clock
        self._alive = _alive(folder)
        self._alive.acquire()

    def params(self, values: Mapping[str, object]) -> None:
        self._record("params", values={name: str(value) for name, value in values.items()})

    def metrics(self, values: Mapping[str, float], step: int = 0) -> None:
        self._record("metrics", values=dict(values), step=step)

    def tags(self, values: Mapping[str, str]) -> None:
        self._record("tags", values=dict(values))

    def dataset(self, values: Mapping[str, str], context: str) -> None:
        """A data set that the run used, as MLflow's Dataset (name, digest, source_type, source, schema, profile)."""
        self._record("dataset", values=dict(values), context=context)

    def artifact(self, path: str, file: Path) -> None:
        """Keep a copy of `file` as the run's artifact `path`."""
        target = self.folder / "artifacts" / path
        _link(file, target)
        self._record("artifact", path=path)

    def model(self, folder: Path, *, name: str, model_type: str, params: Mapping[str, object]) -> None:
        """Keep a copy of the MLflow model in `folder`, whole, before it is recorded."""
        for file in sorted(path for path in folder.rglob("*") if path.is_file()):
            _link(file, self.folder / "model" / file.relative_to(folder))
        texts = {key: str(value) for key, value in params.items()}
        self._record("model", name=name, model_type=model_type, params=texts)

    def register(self, name: str, tags: Mapping[str, str]) -> None:
        """Ask for the model to become a version of the registered model `name`, once it is sent."""
        self._record("register", name=name, tags=dict(tags))

    def finish(self, status: Status) -> None:
        self._record("end", status=status)
        self._alive.release()

    def _record(self, kind: str, **record: Any) -> None:
        line = json.dumps({"kind": kind, **record, "at": int(self._clock() * 1000)}, ensure_ascii=False, allow_nan=True)
        _append(self.folder / "log.jsonl", line)


def start_run(
    spool: Path, *, experiment: str, name: str, tags: Mapping[str, str], clock: Clock = time.time
) -> SpooledRun:
    """A new run in the folder `spool`. Its header is on disk, whole, before it can be seen."""
    started = int(clock() * 1000)
    header = RunHeader(
        key=uuid.uuid4().hex, name=name, experiment=experiment, started=started, user=_user(), tags=dict(tags)
    )
    folder = spool / f"{started}-{header.key[:12]}"
    hidden = spool / f".new-{header.key}"
    hidden.mkdir(parents=True)
    (hidden / "run.json").write_text(json.dumps(vars(header), ensure_ascii=False), encoding="utf-8")
    (hidden / "log.jsonl").touch()
    run = SpooledRun(folder, header, clock)  # alive before anybody can see it: a sync would send it as killed
    hidden.replace(folder)
    return run


def waiting(spool: Path) -> list[Path]:
    """The folders of all runs that are not sent yet, oldest first."""
    return sorted(path.parent for path in spool.glob("*/run.json") if not path.parent.name.startswith("."))


@contextmanager
def one_sync(spool: Path) -> Iterator[None]:
    """While inside, others that ask wait. A run that two send at once would become two versions."""
    spool.mkdir(parents=True, exist_ok=True)
    with FileLock(spool / ".syncing"):
        yield


def is_alive(folder: Path) -> bool:
    """Is the process that writes this run still there?"""
    lock = _alive(folder)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


def read_header(folder: Path) -> RunHeader:
    """Raises SpoolDamaged: there is none, or it cannot be read."""
    try:
        return RunHeader(**json.loads((folder / "run.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError) as error:
        raise SpoolDamaged(
            f"The spooled run in {folder} cannot be read.",
            state="All other runs are sent.",
            why=f"run.json: {error}",
            remedy="Look at what is left in that folder, then move it away; trilho sync goes on without it.",
        ) from error


def read_log(folder: Path) -> list[Record]:
    """All whole records, in order. A last line cut short by a kill is left out."""
    return list(_lines(folder / "log.jsonl"))


def read_sent(folder: Path) -> list[Record]:
    """What the server has acknowledged."""
    return list(_lines(folder / "sent.jsonl"))


def mark_sent(folder: Path, **fact: Any) -> None:
    """Note that the server has acknowledged `fact`."""
    _append(folder / "sent.jsonl", json.dumps(fact, ensure_ascii=False))


def discard(folder: Path) -> None:
    """Remove a run that arrived. Hidden first, so that nobody meets half a folder. Another sender may have done it."""
    gone = folder.with_name(f".gone-{folder.name}")
    with suppress(FileNotFoundError):
        folder.replace(gone)
    with suppress(OSError):
        Path(_alive(folder).lock_file).unlink()
    for left in folder.parent.glob(".gone-*"):  # this one, and those of processes killed while removing theirs
        shutil.rmtree(left, ignore_errors=True)


def _alive(folder: Path) -> FileLock:
    return FileLock(folder.with_name(f".alive-{folder.name}"))


def _append(file: Path, line: str) -> None:
    """One more line, at once; after half a line, left by a killed process, on a line of its own."""
    with file.open("a+b") as log:
        if log.tell():
            log.seek(-1, os.SEEK_END)
            whole = log.read(1) == b"\n"
        else:
            whole = True
        log.write((b"" if whole else b"\n") + line.encode() + b"\n")


def _lines(file: Path) -> Iterator[Record]:
    if not file.exists():
        return
    for line in file.read_bytes().split(b"\n"):
        try:
            if line:
                yield json.loads(line)
        except ValueError:  # a line cut short; what follows it was written by a later process
            continue


def _link(file: Path, target: Path) -> None:
    """Same content at `target`: by a hard link where the disk allows it, else by copy."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.unlink(missing_ok=True)
    try:
        target.hardlink_to(file)
    except OSError:
        shutil.copy2(file, target)


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
