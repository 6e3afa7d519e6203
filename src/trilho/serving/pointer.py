"""Which model is in charge, as one small file: the parent replaces it, workers watch it.

A file outlives whoever wrote it, costs a worker one look at its time, and cannot be half-written: what is read is the
old one or the new one. A pointer to nothing says that there is no model yet.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

import msgspec

FILE = "pointer.json"
_TRIES = 50  # on Windows a file cannot be replaced in the moment in which somebody reads it


class Promotion(msgspec.Struct, frozen=True, kw_only=True):
    """What the history says about how a version came to be champion. `when` in seconds since 1970, UTC."""

    kind: str
    who: str
    when: float
    why: str


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """A model on this disk.

    Args:
        path: Of its bundle.
        name: Of the registered model.
        version: Its number in the registry, or the beginning of its digest.
        digest: SHA-256 of its archive; "" where nobody asked for it.
    """

    path: str
    name: str
    version: str
    digest: str = ""
    promotion: Promotion | None = None

    def same_model(self, other: Target | None) -> bool:
        """Is this the other one, whatever is known about its promotion?"""
        return other is not None and (self.name, self.version, self.digest) == (other.name, other.version, other.digest)


class Pointer(msgspec.Struct, frozen=True, kw_only=True):
    """What the file says.

    Args:
        number: Counts up with each replacement, so that a worker can say which one it follows.
        target: In charge; None while there is nothing to serve.
        previous: What was before it.
        since: When it was put in charge, seconds since 1970, UTC.
    """

    number: int
    target: Target | None
    previous: Target | None = None
    since: float


def read_pointer(folder: Path) -> Pointer | None:
    """The pointer in `folder`; None where there is none."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=Pointer)
    except (OSError, msgspec.DecodeError):
        return None


def write_pointer(folder: Path, pointer: Pointer) -> None:
    """Put `pointer` in the place of the one in `folder`, in one move. Raises OSError."""
    replace_file(folder / FILE, msgspec.json.encode(pointer))


def replace_file(path: Path, content: bytes) -> None:
    """Write a file whole or not at all, also where somebody is reading the one it replaces. Raises OSError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_bytes(content)
    for left in reversed(range(_TRIES)):
        try:
            fresh.replace(path)
            return
        except PermissionError:
            if not left:
                raise
            time.sleep(0.02)


class Watch:
    """Notices that the pointer was replaced, by one look at the file's time and place on the disk."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: tuple[int, int, int] | None = None

    def changed(self) -> Pointer | None:
        """The pointer, if it is another one than at the last call; else None."""
        try:
            found = (self._folder / FILE).stat()
        except OSError:
            return None
        mark = (found.st_mtime_ns, found.st_ino, found.st_size)
        if mark == self._seen:
            return None
        pointer = read_pointer(self._folder)
        if pointer is not None:
            self._seen = mark  # taken before it was read: what replaced it meanwhile is noticed the next time
        return pointer
