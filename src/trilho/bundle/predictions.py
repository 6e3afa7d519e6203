"""What a model answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trilho.bundle.schema import Label


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Answers for n rows.

    Args:
        labels: Shape (n,): labels in the target's own type (int64, bool, float64, or str in an object array); the
            predicted numbers (float64) for regression.
        probabilities: Shape (n, k), one column per label in the order of the schema, rows sum to 1; None for
            regression and for classifiers without probabilities.
    """

    labels: np.ndarray
    probabilities: np.ndarray | None = None


def label_array(labels: Sequence[Label]) -> np.ndarray:
    """The labels as an array of their own type, to be indexed. Shape (k,)."""
    if any(isinstance(label, str) for label in labels):
        return np.array(list(labels), dtype=object)
    return np.array(list(labels))
