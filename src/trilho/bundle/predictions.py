"""What a model answers."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np

from trilho.bundle.schema import Label


class Predictions(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """Answers for n rows. (A Struct: made once per request.)

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
