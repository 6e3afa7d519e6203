"""Answered rows as an Arrow record batch, and back.

    id string · time timestamp[us, UTC] · model string · version string · latency float64 (seconds)
    prediction int64, bool, float64 or string · probabilities list<float64> · features struct<one field per column>

Null stands for a missing value everywhere. Features lie in a struct, so that no name of theirs can meet one of ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from trilho.journal.answered import Answered
from trilho.journal.buffers import array_of, lists, moments, struct, texts
from trilho.journal.features import joined


def to_batch(entries: Sequence[Answered]) -> pa.RecordBatch:
    """One batch of all rows of at least one entry, which share a form."""
    sizes = [entry.rows for entry in entries]
    asked = joined([entry.features for entry in entries])
    features = [array_of(values) for values in asked.values()]
    columns = {
        "id": texts([f"{entry.request}-{row}" for entry in entries for row in range(entry.rows)]),
        "time": moments(np.repeat([entry.time for entry in entries], sizes)),
        "model": texts([entry.model for entry in entries for _ in range(entry.rows)]),
        "version": texts([entry.version for entry in entries for _ in range(entry.rows)]),
        "latency": array_of(np.repeat([entry.latency for entry in entries], sizes)),
        "prediction": array_of(np.concatenate([entry.labels for entry in entries])),
        "probabilities": _probabilities(entries, sum(sizes)),
        "features": struct(list(asked), features, sum(sizes)),
    }
    return pa.RecordBatch.from_arrays(list(columns.values()), names=list(columns))


def values_of(column: pa.Array) -> np.ndarray:
    """A column as it was handed to the journal: float64 with NaN, objects of str and None, datetime64[ns]."""
    values: np.ndarray = column.to_numpy(zero_copy_only=False)
    if pa.types.is_floating(column.type):
        return values.astype(np.float64, copy=False)
    return values


def probabilities_of(column: pa.ListArray) -> np.ndarray | None:
    """Shape (n, k), or None for a model that gives none."""
    if column.null_count == len(column):
        return None
    return values_of(column.flatten()).reshape(len(column), -1)


def _probabilities(entries: Sequence[Answered], rows: int) -> pa.Array:
    parts = [entry.probabilities for entry in entries if entry.probabilities is not None]
    return lists(np.concatenate(parts)) if parts else pa.nulls(rows, pa.list_(pa.float64()))
