"""What serving tells the journal, and what the journal tells about itself."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np

from trilho.journal.features import Features


class Answered(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """The rows of one request and what was answered. Nothing in here may be changed afterwards.

    Args:
        request: Its id; row i of it has the prediction id "REQUEST-i".
        time: When it was answered, seconds since 1970, UTC.
        model, version: Who answered.
        latency: Seconds from the whole body to the answer.
        features: What was asked, n rows.
        labels: Shape (n,): what was predicted.
        probabilities: Shape (n, k), or None.
    """

    request: str
    time: float
    model: str
    version: str
    latency: float
    features: Features
    labels: np.ndarray
    probabilities: np.ndarray | None = None

    @property
    def form(self) -> tuple[object, ...]:
        """What entries must share to be put together."""
        width = None if self.probabilities is None else self.probabilities.shape[1]
        return (self.model, self.version, self.labels.dtype, width, self.features.form)


@dataclass(frozen=True, kw_only=True)
class JournalState:
    """How a journal is.

    Args:
        written: Rows on disk since it was opened.
        waiting: Rows not written yet.
        lost: Rows that never will be.
        problem: Why rows are being lost now; "" when all is well.
        lag: Age of the oldest row that waits, seconds; 0 if none does.
    """

    written: int
    waiting: int
    lost: int
    problem: str
    lag: float
