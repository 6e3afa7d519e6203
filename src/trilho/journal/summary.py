"""What a journal holds, in figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trilho.journal.folder import contents
from trilho.journal.reading import read
from trilho.journal.truth import read_truth


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a journal holds.

    Args:
        rows: That can be read.
        bytes: Of all its files.
        files: Closed ones, and streams.
        first, last: When the first and the last row were answered, seconds since 1970, UTC; None without rows.
        versions: (model, version) → rows.
        labels: True labels, repeated ones too.
        repeated: Labels for a prediction that had one.
        unmatched: Labelled ids of which there is no row (any more).
        forgetting: Lists of forgotten ids whose rows may still be on the disk.
    """

    rows: int
    bytes: int
    files: int
    first: float | None
    last: float | None
    versions: Mapping[tuple[str, str], int]
    labels: int
    repeated: int
    unmatched: int
    forgetting: int


def summarize(folder: Path) -> Summary:
    """The figures of a journal; all zero if there is none. It reads ids, times and versions of all rows.

    Raises:
        JournalUnreadable: the folder or a file in it may not be read.
    """
    versions: Counter[tuple[str, str]] = Counter()
    times: list[np.datetime64] = []
    truth = read_truth(folder)
    for rows in read(folder, since=-1e10, until=1e11, columns=()):
        versions.update(zip(rows.models, rows.versions, strict=True))
        times += [rows.times.min(), rows.times.max()]
        truth.join(rows)
    found = contents(folder)
    size = 0
    for path in (*found.streams, *found.replaced, *found.closed, *found.labels, *found.forgotten):
        with suppress(FileNotFoundError):
            size += path.stat().st_size
    return Summary(
        rows=sum(versions.values()),
        bytes=size,
        files=len(found.streams) + len(found.closed),
        first=_seconds(min(times)) if times else None,
        last=_seconds(max(times)) if times else None,
        versions=dict(sorted(versions.items())),
        labels=truth.labels,
        repeated=truth.repeated,
        unmatched=truth.unmatched,
        forgetting=len(found.forgotten) - len(found.done),
    )


# ----------------------------------------------------------------------------------------------------------------------


def _seconds(moment: np.datetime64) -> float:
    return float(moment.astype("datetime64[us]").astype("int64") / 1e6)
