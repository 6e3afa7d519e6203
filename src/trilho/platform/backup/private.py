"""Files that only their user may read: copies of a database hold the hashes of its users' passwords."""

from __future__ import annotations

import os
from pathlib import Path
from typing import IO


def private_file(path: Path) -> IO[bytes]:
    """A new, empty file at `path`, open for writing; what was there is gone."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600), "wb")
