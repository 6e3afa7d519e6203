"""What lies where in the folder of a journal, and how a reader finds each row once while files are being replaced.

    predictions-….arrows        rows still being written, or just closed; beside it ….lock while it is written
    predictions/….parquet       closed rows, under the same name; nothing else is in there
    labels-2026-01-31.jsonl     true labels by the day they came
    forgotten-….txt             prediction ids whose rows nobody may read any more; beside it ….done once they are gone
    labels.lock, keeper.lock    held while labels are written, and while the keeper is at work

A stream and its Parquet file hold the same rows. The Parquet file appears whole, then the stream is deleted; so who
lists the streams first and the Parquet files second misses nothing, and takes the Parquet file where both are there.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

STREAM, CLOSED, LABELS, FORGOTTEN, DONE = ".arrows", ".parquet", ".jsonl", ".txt", ".done"
_PARTIAL = ".partial"


@dataclass(frozen=True, kw_only=True)
class Contents:
    """What a journal's folder holds, each sorted by name, which begins with the time of its making.

    Args:
        streams: Rows that have no Parquet file.
        replaced: Streams whose Parquet file is there.
        closed: Parquet files.
        labels: Files of true labels.
        forgotten: Lists of forgotten ids.
        done: Those of them whose rows are in no Parquet file any more.
    """

    streams: tuple[Path, ...] = ()
    replaced: tuple[Path, ...] = ()
    closed: tuple[Path, ...] = ()
    labels: tuple[Path, ...] = ()
    forgotten: tuple[Path, ...] = ()
    done: frozenset[Path] = frozenset()


def contents(folder: Path, *, closed: bool = True) -> Contents:
    """What is there now; nothing if there is no folder. Raises OSError.

    Args:
        closed: Look for Parquet files, too; there may be thousands. Without them no stream counts as replaced.
    """
    files = _files(folder)  # before the Parquet files: see above
    parquet = tuple(path for path in _files(closed_folder(folder)) if path.suffix == CLOSED) if closed else ()
    names = {path.stem for path in parquet}
    streams = [path for path in files if path.suffix == STREAM]
    forgotten = tuple(path for path in files if path.suffix == FORGOTTEN)
    done = {path.with_suffix(FORGOTTEN) for path in files if path.suffix == DONE}
    return Contents(
        streams=tuple(path for path in streams if path.stem not in names),
        replaced=tuple(path for path in streams if path.stem in names),
        closed=parquet,
        labels=tuple(path for path in files if path.suffix == LABELS),
        forgotten=forgotten,
        done=frozenset(done.intersection(forgotten)),
    )


def closed_folder(folder: Path) -> Path:
    """Where the Parquet files are."""
    return folder / "predictions"


def closed_path(stream: Path) -> Path:
    """The Parquet file of a stream."""
    return closed_folder(stream.parent) / (stream.stem + CLOSED)


def new_name(kind: str) -> str:
    """A name that nobody else will choose: "KIND-20260131T120000Z-0a1b2c3d4e5f"."""
    return f"{kind}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(6)}"


def partial_path(path: Path) -> Path:
    """Where a file is written before it takes its place; hidden, so that no reader of the folder takes it for one."""
    return path.with_name(f".{path.name}{_PARTIAL}")


def put_in_place(path: Path) -> None:
    """Let what was written to `partial_path(path)` be `path`, at once and for good: it is on the disk afterwards."""
    partial = partial_path(path)
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(path)
    with suppress(OSError):  # Windows opens no folders, and needs it not
        handle = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_partial(folder: Path, *, before: float) -> None:
    """Remove what was being written when its writer was killed, and is older than this (seconds since 1970)."""
    for place in (folder, closed_folder(folder)):
        for path in _files(place, hidden=True):
            with suppress(OSError):
                if path.suffix == _PARTIAL and path.stat().st_mtime < before:
                    path.unlink()


# ----------------------------------------------------------------------------------------------------------------------


def _files(folder: Path, *, hidden: bool = False) -> Sequence[Path]:
    try:
        names = os.listdir(folder)  # noqa: PTH208 - iterdir makes a path of each of some thousand names first
    except FileNotFoundError:
        return []
    return [folder / name for name in sorted(names) if name.startswith(".") == hidden]
