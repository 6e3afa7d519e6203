"""Whole rows of the window beside the first ones that the version answered.

A bundle holds counts of the training rows, no rows, so that none of them travels with a model. The first rows that a
version answered are the nearest to them that the journal has, and they stay the same from window to window: a slow
move adds up beside them, as it would not beside the window before.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from trilho.bundle import Schema
from trilho.journal import Rows, read
from trilho.monitoring.report import Report, WholeRows
from trilho.monitoring.sampling import MOST, Sample

ALLOWED = 0.55  # share of right answers: 5 in 100 better than guessing


def compare_with_earlier(
    folder: Path | Sequence[Path], now: Sample, report: Report, schema: Schema, *, min_rows: int
) -> WholeRows:
    """Ask a classifier (`drift.whole_rows`) which rows are from the report's window.

    Args:
        folder: Of the journal; several where replicas write to their own.
        now: Rows of the window, by the version that the report is on.
        min_rows: Fewer on either side give no answer.

    Raises:
        JournalUnreadable: a file may not be read or is damaged.
    """
    from trilho.monitoring.drift.whole_rows import whole_rows

    earlier = Sample(report.model, report.version)
    for part in read(folder, since=0.0, until=report.since, model=report.model, version=report.version):
        earlier.add(part)
        if earlier.seen >= MOST:  # files come oldest first
            break
    if now.seen < min_rows:
        return WholeRows(problem=f"{min_rows:,} predictions are needed (monitor.drift.min_rows)")
    if earlier.seen < min_rows:
        return WholeRows(
            problem=f"{min_rows:,} earlier rows of this version are needed to compare with, the journal has "
            f"{earlier.seen:,} from before this window"
        )
    found = whole_rows(_columns(earlier.parts()), _columns(now.parts()), schema.fields)
    times = np.concatenate([part.times for part in earlier.parts()]).astype("datetime64[us]").astype(np.int64) / 1e6
    return WholeRows(
        accuracy=found.accuracy,
        auc=found.auc,
        p_value=found.p_value,
        held_out=found.held_out,
        allowed=ALLOWED,
        alpha=report.alpha,
        since=float(times.min()),
        until=float(times.max()),
    )


# ----------------------------------------------------------------------------------------------------------------------


def _columns(parts: Sequence[Rows]) -> dict[str, np.ndarray]:
    """The columns that all parts have, each of them as one array."""
    names = [name for name in parts[0].columns if all(name in part.columns for part in parts)]
    return {name: np.concatenate([part.columns[name] for part in parts]) for name in names}
