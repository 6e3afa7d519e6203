"""True labels, which come days after the prediction, to whichever replica: a log of their own, one file a day.

A line is `{"id":"0f3a…-0","label":"benign","time":1769860800.0}`. Lines are only ever added; a label that comes again
is a second line, and the last one counts when they are read. Nothing is looked up when a label comes: whether its
prediction is known shows when both are read.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import pyarrow as pa

from trilho.errors import JournalUnwritable
from trilho.journal.folder import LABELS, partial_path, put_in_place
from trilho.journal.forgetting import check_id
from trilho.journal.locks import labels_lock

Label = int | float | str | bool


class TrueLabel(msgspec.Struct, frozen=True, kw_only=True):
    """What turned out to be true.

    Args:
        id: Of the prediction.
        label: Of the type that the model's labels have; for regression a number.
        time: When it came to us, seconds since 1970, UTC.
    """

    id: str
    label: Label
    time: float


def label(folder: Path, labels: Iterable[TrueLabel]) -> int:
    """Write true labels down. When this returns they are on the disk (fsync), and outlive a power cut.

    That takes as long as the disk takes, some milliseconds on most, for one label as for ten thousand: so a server
    calls it in a thread, with all labels of a request. Several processes may call it at once.

    Returns:
        How many were written: all.

    Raises:
        BadFeedback: an id cannot be one.
        JournalUnwritable: they could not be written; none counts then.
    """
    encode = msgspec.json.Encoder().encode
    lines = [encode(one) for one in labels if check_id(one.id)]
    if not lines:
        return 0
    path = folder / f"labels-{time.strftime('%Y-%m-%d', time.gmtime())}{LABELS}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with labels_lock(folder):
            _append(path, b"\n".join(lines) + b"\n")
    except OSError as error:
        raise JournalUnwritable(
            f"The labels could not be written to {folder}: {error.strerror or error}.",
            state="None of them was taken.",
            remedy="Make room there, or correct the permissions of the folder, then send them again.",
        ) from error
    return len(lines)


def read_lines(path: Path) -> tuple[list[TrueLabel], int]:
    """The labels of a file in the order they came, and how many lines are none (cut off by a kill). Raises OSError."""
    content = path.read_bytes()
    decoder = msgspec.json.Decoder(TrueLabel)
    try:
        return decoder.decode_lines(content), 0
    except (msgspec.DecodeError, UnicodeDecodeError):
        found, broken = [], 0
        for line in content.splitlines():
            try:
                found.append(decoder.decode(line))
            except (msgspec.DecodeError, UnicodeDecodeError):
                broken += 1
        return found, broken


def rewrite_labels(path: Path, forgotten: pa.Array) -> int:
    """Take the labels of these ids out of a file. Returns how many there were. Raises OSError."""
    gone = set(forgotten.to_pylist())
    with labels_lock(path.parent):
        found, _ = read_lines(path)
        kept = [one for one in found if one.id not in gone]
        if len(kept) < len(found):
            changed = path.stat().st_mtime_ns  # what ages a file is when its last label came
            _write_all(partial_path(path), kept)
            os.utime(partial_path(path), ns=(changed, changed))
            put_in_place(path)
    return len(found) - len(kept)


# ----------------------------------------------------------------------------------------------------------------------


def _append(path: Path, content: bytes) -> None:
    with path.open("ab+", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            if file.read(1) != b"\n":  # a writer was killed in the middle of a line
                content = b"\n" + content
        left = memoryview(content)
        try:
            while left:  # a full disk takes a part of it before it says so
                left = left[file.write(left) :]
            os.fsync(file.fileno())
        except OSError:
            os.ftruncate(file.fileno(), size)  # all of them or none
            raise


def _write_all(path: Path, labels: Sequence[TrueLabel]) -> None:
    encode = msgspec.json.Encoder().encode
    path.write_bytes(b"".join(encode(one) + b"\n" for one in labels))
