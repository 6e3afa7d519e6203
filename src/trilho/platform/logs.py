"""A service's log: its last lines, and what comes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 65_536
_KEPT = 10_000_000  # bytes; a longer log is put aside at the next start


def tail(path: Path, lines: int) -> list[str]:
    """The last `lines` lines of the log, oldest first, reading only its end; empty where there is no log."""
    try:
        with path.open("rb") as log:
            position = log.seek(0, os.SEEK_END)
            content = b""
            while position and content.count(b"\n") <= lines:
                step = min(_BLOCK, position)
                position = log.seek(position - step)
                content = log.read(step) + content
    except FileNotFoundError:
        return []
    return content.decode("utf-8", "replace").splitlines()[-lines:] if lines > 0 else []


def follow(path: Path, *, every: float = 0.2) -> Iterator[str]:
    """Lines appended to the log from now on, without end. A log that is put aside or cut is followed anew."""
    position = path.stat().st_size if path.exists() else 0
    rest = b""
    while True:
        size = path.stat().st_size if path.exists() else 0
        if size < position:
            position, rest = 0, b""
        if size > position:
            with path.open("rb") as log:
                log.seek(position)
                content = log.read()
            position += len(content)
            *whole, rest = (rest + content).split(b"\n")
            for line in whole:
                yield line.decode("utf-8", "replace")
        else:
            time.sleep(every)


def put_aside(path: Path) -> None:
    """Keeps a log from growing for ever: one long log becomes NAME.log.old, in place of the one before."""
    if path.exists() and path.stat().st_size > _KEPT:
        path.replace(path.with_name(path.name + ".old"))


def since(path: Path, position: int) -> str:
    """What the log holds from byte `position` on."""
    try:
        with path.open("rb") as log:
            log.seek(position)
            return log.read().decode("utf-8", "replace")
    except FileNotFoundError:
        return ""
