"""Looking at a window of the journal with the eyes of the training data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from trilho import bundle
from trilho.bundle import CategoryCounts, DriftProfile, NumberCounts, Schema
from trilho.journal import Rows
from trilho.monitoring.drift.psi import MOVED, noise, population_stability_index, shared_bins
from trilho.monitoring.report import ColumnDrift, Report

Counts = NumberCounts | CategoryCounts


def watch(
    journal: Iterable[Rows],
    *,
    schema: Schema,
    reference: DriftProfile,
    model: str,
    version: str,
    since: float,
    until: float,
    share: float,
    min_rows: int,
) -> Report:
    """Compare what a version was asked, and what it answered, with its training data.

    The rows are counted some thousands at a time and the counts added up, so that a long window needs no more memory
    than a short one. Columns of times are left out: they always move.

    Args:
        journal: The window, from `journal.read`.
        schema, reference: Of the version's bundle.
        share: Of the columns that must have moved to call it drift.
        min_rows: With fewer rows nothing is said about drift.
    """
    rows = other_rows = 0
    seen: DriftProfile | None = None
    for part in journal:
        mine = (part.versions == version) & (part.models == model)
        rows += int(mine.sum())
        other_rows += int((~mine).sum())
        if mine.any():
            counted = _counted(part, mine, schema, reference)
            seen = counted if seen is None else bundle.merge(seen, counted)
    columns: tuple[ColumnDrift, ...] = ()
    predicted: tuple[ColumnDrift, ...] = ()
    if seen is not None and rows >= min_rows:
        times = {field.name for field in schema.fields if field.kind == "time"}
        columns = _moves(reference.columns, seen.columns, leave_out=times)
        predicted = _moves(reference.predicted, seen.predicted)
    return Report(
        model=model,
        version=version,
        since=since,
        until=until,
        rows=rows,
        other_rows=other_rows,
        columns=columns,
        predicted=predicted,
        share=share,
        min_rows=min_rows,
    )


# ----------------------------------------------------------------------------------------------------------------------


def _counted(part: Rows, mine: np.ndarray, schema: Schema, reference: DriftProfile) -> DriftProfile:
    columns = {name: values[mine] for name, values in part.columns.items()}
    probabilities = None if part.probabilities is None else part.probabilities[mine]
    counted = bundle.count(reference, columns, schema)
    answers = bundle.count_predictions(reference.predicted, part.labels[mine], probabilities, schema)
    return replace(counted, predicted=answers)


def _moves(before: Sequence[Counts], now: Sequence[Counts], leave_out: Iterable[str] = ()) -> tuple[ColumnDrift, ...]:
    found = []
    for reference, current in zip(before, now, strict=True):
        if reference.name not in leave_out:
            old, new = shared_bins(reference, current)
            index = population_stability_index(old, new)
            found.append(ColumnDrift(name=reference.name, index=index, required=max(MOVED, noise(old, new))))
    return tuple(sorted(found, key=lambda column: -column.index))
