"""Predictions beside the truth, in the one form that every metric reads."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from trilho.errors import CannotPredict


@dataclass(frozen=True, kw_only=True, eq=False)
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

    Raises:
        CannotPredict: the shapes do not fit together.
    """

    truth: np.ndarray
    predicted: np.ndarray
    probabilities: np.ndarray | None = None
    labels: tuple[object, ...] = ()
    positive: object = None

    def __post_init__(self) -> None:
        if self.truth.ndim != 1 or self.predicted.shape != self.truth.shape:
            raise CannotPredict(
                f"The model's predictions have shape {self.predicted.shape}, the truth has {self.truth.shape}.",
                why="One prediction for each row, in one dimension, is what metrics read.",
                remedy="Let the model's predict give one value a row (predictions.ravel() where there is one column).",
            )
        wanted = (self.rows, len(self.labels))
        if self.probabilities is not None and self.probabilities.shape != wanted:
            raise CannotPredict(
                f"The model's probabilities have shape {self.probabilities.shape}, not {wanted}.",
                why="One row for each row of the data and one column for each label is what metrics read.",
                remedy="Let predict_proba give one column for each label of classes_, in that order.",
            )

    @cached_property
    def rows(self) -> int:
        return len(self.truth)

    @cached_property
    def classes(self) -> tuple[object, ...]:
        """`labels`, then whatever else occurs in the truth or the predictions (a class that training never saw)."""
        seen = dict.fromkeys(self.labels)
        seen.update(dict.fromkeys(self.truth.tolist()))
        seen.update(dict.fromkeys(self.predicted.tolist()))
        return tuple(seen)

    @cached_property
    def truth_codes(self) -> np.ndarray:
        """Place of each row's true label in `classes`. Shape (n,)."""
        return self._codes(self.truth)

    @cached_property
    def predicted_codes(self) -> np.ndarray:
        """Place of each row's predicted label in `classes`. Shape (n,)."""
        return self._codes(self.predicted)

    @cached_property
    def scores(self) -> np.ndarray:
        """The probabilities with a column for each of `classes`: 0 for a class that the model does not know."""
        if self.probabilities is None:
            raise CannotPredict(
                "There are no probabilities, only labels.",
                remedy="Choose a metric that needs labels, or an estimator that has predict_proba.",
            )
        unknown = len(self.classes) - len(self.labels)
        if not unknown:
            return self.probabilities
        return np.hstack([self.probabilities, np.zeros((self.rows, unknown), self.probabilities.dtype)])

    def _codes(self, values: np.ndarray) -> np.ndarray:
        # A dictionary, not np.unique: labels may be of types that do not sort together.
        place = {label: code for code, label in enumerate(self.classes)}
        return np.fromiter((place[value] for value in values.tolist()), np.intp, self.rows)
