"""What steps made, kept by the fingerprint of what they were made from.

An entry is a folder: the step's files and `entry.json`, which lists them with size, time and digest. It is written
under another name and renamed when whole, so a killed run leaves nothing half-made; a file that no longer fits its
line in `entry.json` makes the entry damaged, and it is made anew.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

# Entries kept for each step, by last use: enough to switch between a few settings and back.
KEPT = 6

_RECORD = "entry.json"
_MAKING = ".making-"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One step's output. `digest` names its content: equal files, equal digest."""

    folder: Path
    digest: str
    facts: str
    seconds: float
    ingredients: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Damaged:
    """An entry that exists but is not what was written; `problem` names the file."""

    problem: str


class Cache:
    """The cache in the folder `root`. Safe for several processes at once."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def find(self, step: str, key: str) -> Entry | Damaged | None:
        """The entry for `key`, checked file by file against its record."""
        folder = self.root / step / key
        if not folder.is_dir():
            return None
        try:
            record = json.loads((folder / _RECORD).read_text(encoding="utf-8"))
            for name, (size, modified, digest) in record["files"].items():
                status = (folder / name).stat()
                if status.st_size != size or (status.st_mtime_ns != modified and _digest(folder / name) != digest):
                    return Damaged(problem=f"{name} was altered")
            entry = _entry(folder, record)
        except FileNotFoundError as error:
            return Damaged(problem=f"{Path(error.filename).name} is missing")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            return Damaged(problem=f"{_RECORD} cannot be read ({type(error).__name__})")
        with suppress(OSError):  # a cache that cannot be written to can still be read
            os.utime(folder)  # last use, for tidying
        return entry

    @contextmanager
    def lock(self, step: str, key: str) -> Iterator[None]:
        """Hold this while looking for an entry and making it: two runs at once make it once."""
        with self._lock(step, key):
            yield

    @contextmanager
    def workplace(self, step: str, key: str) -> Iterator[Path]:
        """An empty folder for a step to write to, under the lock for `key`; gone afterwards unless `keep` took it."""
        self._sweep(step)
        place = self.root / step / f"{_MAKING}{key}"
        shutil.rmtree(place, ignore_errors=True)  # of a killed run: whoever holds the lock is alone with the key
        (place / "out").mkdir(parents=True)
        try:
            yield place / "out"
        finally:
            shutil.rmtree(place, ignore_errors=True)

    def keep(
        self, step: str, key: str, made: Path, *, ingredients: Mapping[str, Any], facts: str, seconds: float
    ) -> Entry:
        """Make the folder `made` the entry for `key`, in place of whatever was there."""
        files = {}
        for file in sorted(path for path in made.rglob("*") if path.is_file()):
            status = file.stat()
            files[file.relative_to(made).as_posix()] = (status.st_size, status.st_mtime_ns, _digest(file))
        whole = hashlib.blake2b(json.dumps([[n, d] for n, (_, _, d) in files.items()]).encode(), digest_size=16)
        record = {
            "digest": whole.hexdigest(),
            "facts": facts,
            "seconds": seconds,
            "ingredients": dict(ingredients),
            "files": files,
        }
        (made / _RECORD).write_text(json.dumps(record, ensure_ascii=False), encoding="utf-8")
        folder = self.root / step / key
        if folder.exists():
            folder.replace(made.with_name("old"))  # goes with the workplace
        made.replace(folder)
        self._tidy(step)
        return _entry(folder, record)

    def last(self, step: str) -> Entry | None:
        """The entry used last, whole or not: to say what changed since."""
        for folder in self._entries(step):
            try:
                return _entry(folder, json.loads((folder / _RECORD).read_text(encoding="utf-8")))
            except (OSError, ValueError, KeyError, TypeError):
                continue
        return None

    def _entries(self, step: str) -> list[Path]:
        found = []
        for folder in (self.root / step).glob("[!.]*"):
            try:
                found.append((folder.stat().st_mtime_ns, folder))
            except OSError:  # tidied away by another run just now
                continue
        return [folder for _, folder in sorted(found, reverse=True)]

    def _lock(self, step: str, key: str) -> FileLock:
        (self.root / "locks").mkdir(parents=True, exist_ok=True)
        return FileLock(self.root / "locks" / f"{step}-{key}")

    def _sweep(self, step: str) -> None:
        """Remove what killed runs left half-made: nobody holds the lock for it."""
        for place in (self.root / step).glob(f"{_MAKING}*"):
            lock = self._lock(step, place.name.removeprefix(_MAKING))
            with suppress(Timeout), lock.acquire(timeout=0):
                shutil.rmtree(place, ignore_errors=True)

    def _tidy(self, step: str) -> None:
        for folder in self._entries(step)[KEPT:]:
            shutil.rmtree(folder, ignore_errors=True)


def _entry(folder: Path, record: Mapping[str, Any]) -> Entry:
    return Entry(
        folder=folder,
        digest=record["digest"],
        facts=record["facts"],
        seconds=record["seconds"],
        ingredients=record["ingredients"],
    )


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
