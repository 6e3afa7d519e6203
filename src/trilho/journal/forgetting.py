"""Rows that must go: their ids are noted, from then on no reader sees them, and the keeper takes them off the disk.

A list of ids is `done` when no Parquet file holds a row of it. It stays all the same, for the rows of streams that were
open at the time, until it is as old as anything is kept: by then there is no such stream left.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from trilho.errors import BadFeedback, JournalUnwritable
from trilho.journal.buffers import texts
from trilho.journal.folder import FORGOTTEN, Contents, new_name, partial_path, put_in_place

MOST_LETTERS = 200  # of a prediction id


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """Prediction ids that are not to be read.

    Args:
        ids: All of them.
        pending: Those that Parquet files may still hold.
    """

    ids: pa.Array
    pending: pa.Array


def forget(folder: Path, ids: Iterable[str]) -> int:
    """Let the rows of these predictions, and what is known about their truth, be read by nobody from now on.

    When this returns, the ids are on the disk. The rows leave it with the keeper's next round, those of a file that is
    still being written when it is closed (after an hour at most). An id that is not there is no error: its row may
    be on its way.

    Returns:
        How many different ids there were.

    Raises:
        BadFeedback: one of them cannot be a prediction id.
        JournalUnwritable: they could not be written.
    """
    unique = sorted(set(ids))
    for name in unique:
        check_id(name)
    path = folder / f"{new_name('forgotten')}{FORGOTTEN}"
    if unique:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            partial_path(path).write_text("".join(f"{name}\n" for name in unique), encoding="utf-8")
            put_in_place(path)
        except OSError as error:
            with suppress(OSError):
                partial_path(path).unlink(missing_ok=True)
            raise JournalUnwritable(
                f"The ids could not be written to {folder}: {error.strerror or error}.",
                state="Nothing was forgotten.",
                remedy="Make room there, or correct the permissions of the folder, then ask again.",
            ) from error
    return len(unique)


def check_id(name: object) -> str:
    """The id, if it can be one: text of one line. Raises BadFeedback."""
    if not isinstance(name, str) or not name or len(name) > MOST_LETTERS or not name.isprintable():
        shown = repr(name) if len(repr(name)) < 60 else f"{repr(name)[:57]}…"
        raise BadFeedback(
            f"{shown} is not a prediction id.",
            remedy='Give the id that came with the prediction: text such as "0f3a…-0".',
        )
    return name


def forgotten(*found: Contents) -> Forgotten:
    """What is forgotten in one or several folders. Raises OSError."""
    done: list[str] = []
    pending: list[str] = []
    for one in found:
        for path in one.forgotten:
            (done if path in one.done else pending).extend(_ids(path))
    return Forgotten(ids=_array([*done, *pending]), pending=_array(pending))


def without(batch: pa.RecordBatch, ids: pa.Array) -> pa.RecordBatch:
    """The rows of a batch whose `id` is none of these."""
    if not len(ids):
        return batch
    gone = pc.is_in(batch.column("id"), value_set=ids)
    return batch.filter(pc.invert(gone)) if pc.any(gone).as_py() else batch


# ----------------------------------------------------------------------------------------------------------------------


def _ids(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:  # it aged out since we looked, and its rows before it
        return []


def _array(words: list[str]) -> pa.Array:
    return texts(words)
