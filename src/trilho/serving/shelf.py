"""The bundles on this disk: which one an address led to last, and which ones nobody needs any more.

bundles/DIGEST.tar   fetched, shared by all servers and scorings of a project
converted/KEY.tar    made here of a model that plain MLflow logged
last.json            address → what it led to, for starts without a registry
run-…/               one server's own folder, locked as long as its parent lives
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from trilho.errors import ServiceFailed
from trilho.serving.pointer import read_pointer, replace_file

LAST = "last.json"
YOUNG_SECONDS = 600.0  # somebody may just have fetched it and not said so yet
_REMEMBERED = 5  # addresses
_CONVERTED = 5  # bundles


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What an address led to; `path` is relative to the folder."""

    path: str
    name: str
    version: str
    digest: str = ""


def remember(folder: Path, model: str, entry: Entry) -> None:
    """Write down that `model` led to this. What does not fit on the disk is not remembered."""
    known = {address: asdict(each) for address, each in _remembered(folder).items() if address != model}
    newest = dict([*known.items(), (model, asdict(entry))][-_REMEMBERED:])
    with suppress(OSError):
        replace_file(folder / LAST, json.dumps(newest, indent=1).encode())


def recall(folder: Path, model: str) -> Entry | None:
    """What `model` led to last; None where it was never served here, or its bundle is gone."""
    entry = _remembered(folder).get(model)
    return entry if entry is not None and (folder / entry.path).is_file() else None


@contextmanager
def run_folder(folder: Path) -> Iterator[Path]:
    """A folder of this process alone, gone at the end. Those of servers that were killed go first.

    Raises:
        ServiceFailed: nothing can be written there.
    """
    import filelock

    try:
        folder.mkdir(parents=True, exist_ok=True)
        _sweep(folder)
        run = Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=folder))
        lock = filelock.FileLock(run / "lock")
        lock.acquire(timeout=10)
    except OSError as error:
        raise ServiceFailed(
            f"The model server cannot write to {folder}.",
            why=f"{error.strerror or error}.",
            remedy="Give this user the right to write there, or free some space.",
        ) from error
    try:
        yield run
    finally:
        lock.release()
        shutil.rmtree(run, ignore_errors=True)


def clean(folder: Path, *, young: float = YOUNG_SECONDS) -> list[str]:
    """Remove the bundles that no server points to, none pointed to before, and no address leads to.

    Args:
        young: Seconds for which a new file is left alone.

    Returns:
        The names of what was removed.
    """
    wanted = {Path(entry.path).name for entry in _remembered(folder).values()}
    for run in folder.glob("run-*"):
        pointer = read_pointer(run)
        for target in (pointer.target, pointer.previous) if pointer is not None else ():
            wanted |= {Path(target.path).name} if target is not None else set()
    removed = []
    made_here = sorted((folder / "converted").glob("*.tar"), key=_age)[_CONVERTED:]
    for path in [*(folder / "bundles").glob("*.tar"), *made_here]:
        if path.name not in wanted and _age(path) > young:
            with suppress(OSError):  # on Windows somebody may be reading it: the next time, then
                path.unlink()
                removed.append(path.name)
    return removed


# ----------------------------------------------------------------------------------------------------------------------


def _sweep(folder: Path) -> None:
    """Remove the folders of servers that are gone: nobody holds their locks."""
    import filelock

    for run in folder.glob("run-*"):
        if _age(run) < 5:
            continue  # it is being made
        lock = filelock.FileLock(run / "lock")
        try:
            lock.acquire(timeout=0)
        except (filelock.Timeout, OSError):
            continue
        lock.release()
        shutil.rmtree(run, ignore_errors=True)


def _age(path: Path) -> float:
    try:
        return time.time() - path.stat().st_mtime
    except OSError:
        return 0.0


def _remembered(folder: Path) -> dict[str, Entry]:
    try:
        found = json.loads((folder / LAST).read_text(encoding="utf-8"))
        return {address: Entry(**entry) for address, entry in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}
