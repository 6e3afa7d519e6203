"""Files that only their user may read, from their first byte on: passwords, keys, copies of a database of users."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO


def private_file(path: Path) -> IO[bytes]:
    """A new, empty file at `path`, open for writing; what was there is gone, and no link is followed."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb")


def write_private(path: Path, text: str) -> None:
    """Put `text` (as UTF-8) in the place of the file at `path`: whole or not at all."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with private_file(fresh) as out:
            out.write(text.encode("utf-8"))
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
