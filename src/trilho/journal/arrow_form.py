"""Answered rows as an Arrow record batch, and back.

    id string · time timestamp[us, UTC] · model string · version string · latency float64 (seconds)
    prediction int64, bool, float64 or string · probabilities list<float64> · features struct<one field per column>

Null stands for a missing value everywhere. Features lie in a struct, so that no name of theirs can meet one of ours.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from trilho.journal.block import Block
from trilho.journal.buffers import array_of, lists, moments, repeated, struct, texts
from trilho.journal.features import columns_of


def to_batch(blocks: Sequence[Block]) -> pa.RecordBatch:
    """One batch of all rows of at least one block, which share a form."""
    rows = sum(block.rows for block in blocks)
    asked = [columns_of(block.features) for block in blocks]
    features = {name: array_of(np.concatenate([columns[name] for columns in asked])) for name in asked[0]}
    sizes = [size for block in blocks for size in block.sizes]
    requests = [request for block in blocks for request in block.requests]
    ends = [f"-{row}" for row in range(max(sizes))]
    ids = [request + end for request, size in zip(requests, sizes, strict=True) for end in ends[:size]]
    columns = {
        "id": texts(ids),
        "time": moments(np.repeat([time for block in blocks for time in block.times], sizes)),
        "model": repeated(blocks[0].model, rows),
        "version": repeated(blocks[0].version, rows),
        "latency": array_of(np.repeat([latency for block in blocks for latency in block.latencies], sizes)),
        "prediction": array_of(np.concatenate([block.labels for block in blocks])),
        "probabilities": _probabilities(blocks, rows),
        "features": struct(list(features), list(features.values()), rows),
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


def _probabilities(blocks: Sequence[Block], rows: int) -> pa.Array:
    parts = [block.probabilities for block in blocks if block.probabilities is not None]
    return lists(np.concatenate(parts)) if parts else pa.nulls(rows, pa.list_(pa.float64()))
