"""What each worker says to its parent: which pointer it has followed, and what kept it from following the last one."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from trilho.serving.pointer import replace_file


class Holding(msgspec.Struct, frozen=True, kw_only=True):
    """One worker's word.

    Args:
        number: Of the pointer it looked at last.
        version: It answers with this one; "" while it has none.
        failure: Why that is not the pointer's (`orders.told`); None if it is.
    """

    pid: int
    number: int
    version: str
    failure: dict[str, Any] | None = None


def write_holding(folder: Path, holding: Holding) -> None:
    """Leave a worker's word where its parent looks."""
    with suppress(OSError):  # a full disk: the parent then does not know, and nothing else suffers
        replace_file(_place(folder, holding.pid), msgspec.json.encode(holding))


def read_holding(folder: Path, pid: int) -> Holding | None:
    """What the worker `pid` said last; None where it said nothing yet."""
    try:
        return msgspec.json.decode(_place(folder, pid).read_bytes(), type=Holding)
    except (OSError, msgspec.DecodeError):
        return None


def forget_holding(folder: Path, pid: int) -> None:
    """Remove the word of a worker that is dead."""
    _place(folder, pid).unlink(missing_ok=True)


def _place(folder: Path, pid: int) -> Path:
    return folder / f"holds-{pid}.json"
