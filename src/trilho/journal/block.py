"""Some hundred answered requests in one piece.

Requests are put together while what they brought is still at hand: thousands of small arrays, kept until the writer
comes, would cost every request more than the rest of its journaling.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

import msgspec
import numpy as np

from trilho.journal.answered import Answered
from trilho.journal.features import Features, columns_of


class Block(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """Requests of one form, in the order they were answered.

    Args:
        form: What blocks must share to be put into one batch (`Answered.form`).
        requests: Their ids.
        sizes: Rows of each.
        times, latencies: Of each, seconds.
        features, labels, probabilities: Of all rows, as in `Answered`.
    """

    form: tuple[object, ...]
    model: str
    version: str
    requests: list[str]
    sizes: list[int]
    times: list[float]
    latencies: list[float]
    features: Features
    labels: np.ndarray
    probabilities: np.ndarray | None
    rows: int


def blocks_of(entries: Sequence[Answered]) -> Iterator[Block]:
    """The entries in as few blocks as their forms and their order allow; those without rows are left out."""
    alike: list[Answered] = []
    for entry in entries:
        if alike and not _same(alike[0], entry):
            yield _block(alike)
            alike = []
        if len(entry.labels):
            alike.append(entry)
    if alike:
        yield _block(alike)


# ----------------------------------------------------------------------------------------------------------------------


def _same(one: Answered, other: Answered) -> bool:
    """Have they one form? Asked for every request, so first by identity: answers of one model share it."""
    mine, theirs = one.features, other.features
    if (
        mine.names is theirs.names
        and mine.layout is theirs.layout
        and one.version is other.version
        and one.model is other.model
        and one.labels.dtype is other.labels.dtype
    ):
        return True
    return one.form == other.form


def _block(entries: list[Answered]) -> Block:
    first = entries[0]
    sizes = [len(entry.labels) for entry in entries]
    parts = [entry.probabilities for entry in entries if entry.probabilities is not None]
    return Block(
        form=first.form,
        model=first.model,
        version=first.version,
        requests=[entry.request for entry in entries],
        sizes=sizes,
        times=[entry.time for entry in entries],
        latencies=[entry.latency for entry in entries],
        features=_together([entry.features for entry in entries]),
        labels=np.concatenate([entry.labels for entry in entries]),
        probabilities=np.concatenate(parts) if parts else None,
        rows=sum(sizes),
    )


def _together(parts: list[Features]) -> Features:
    first = parts[0]
    if first.matrix is not None:
        matrices = [part.matrix for part in parts if part.matrix is not None]
        return Features(names=first.names, matrix=np.concatenate(matrices))
    if first.rows is not None:
        rows = list(chain.from_iterable(part.rows for part in parts if part.rows is not None))
        return Features.of(columns_of(Features(names=first.names, rows=rows, layout=first.layout)))
    several = [part.columns for part in parts if part.columns is not None]
    columns = tuple(np.concatenate(column) for column in zip(*several, strict=True))
    return Features(names=first.names, columns=columns)
