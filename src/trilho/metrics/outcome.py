"""Predictions beside the truth, in the one form that every metric reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """True and predicted values of n rows.

    Args:
        truth: Labels or numbers. Shape (n,).
        predicted: Labels or numbers, same shape and kind.
        probabilities: One column per label in the order of `labels`, rows sum to 1. Shape (n, k); None for regression
            and for classifiers without probabilities.
        labels: The k labels, sorted as scikit-learn's `classes_`. Empty for regression.
        positive: The label that counts as positive for precision, recall, f1, roc_auc; None for more than two labels
            (these are then macro averages) and for regression.
    """

    truth: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray | None = None
    labels: tuple[object, ...] = ()
    positive: object = None

    @cached_property
    def rows(self) -> int:
        return len(self.truth)
