"""What serving tells the journal, and what the journal tells about itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Answered:
    """The rows of one request and what was answered. Nothing in here may be changed afterwards.

    Args:
        request: Its id; row i of it has the prediction id "REQUEST-i".
        time: When it was answered, seconds since 1970, UTC.
        model, version: Who answered.
        latency: Seconds from the whole body to the answer.
        columns: Feature → values, shape (n,): float64 with NaN for null, objects of str and None, or datetime64[ns].
        labels: Shape (n,): what was predicted.
        probabilities: Shape (n, k), or None.
    """

    request: str
    time: float
    model: str
    version: str
    latency: float
    columns: Mapping[str, np.ndarray]
    labels: np.ndarray
    probabilities: np.ndarray | None = None

    @property
    def rows(self) -> int:
        """How many."""
        return len(self.labels)

    @property
    def form(self) -> tuple[object, ...]:
        """Names and types of all columns. Entries of equal form fit into one batch, and their batches into one file."""
        width = None if self.probabilities is None else self.probabilities.shape[1]
        return (*((name, values.dtype) for name, values in self.columns.items()), self.labels.dtype, width)


@dataclass(frozen=True, kw_only=True)
class JournalState:
    """How a journal is.

    Args:
        written: Rows on disk since it was opened.
        waiting: Rows not written yet.
        lost: Rows that never will be.
        problem: Why rows are being lost now; "" when all is well.
    """

    written: int
    waiting: int
    lost: int
    problem: str
