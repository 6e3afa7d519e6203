"""Metrics of predicted labels: accuracy, balanced accuracy, precision, recall, f1.

With a positive label precision, recall and f1 are that label's, and NaN where nothing can be divided by. With more than
two labels they are macro averages over the labels that occur in truth or predictions, where a label that was never
predicted counts as precision 0: a model must not gain by giving up a class. Both equal scikit-learn's
(`zero_division=nan` for one label, its default 0 for averages).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trilho.metrics.metric import Scorer, ratio, weighted_mean
from trilho.metrics.outcome import Outcome

# Weight of rows rightly given a label, of rows given it, of rows that have it → the value. All of one shape.
Combine = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]


def accuracy(outcome: Outcome) -> Scorer:
    """The share of rows with the right label."""
    return weighted_mean((outcome.truth_codes == outcome.predicted_codes).astype(float))


def balanced_accuracy(outcome: Outcome) -> Scorer:
    """The mean recall of the labels that occur in the truth."""
    count = _by_label(outcome)

    def score(weights: np.ndarray) -> np.ndarray:
        right, _, true = count(weights)
        return _mean_where(true > 0, ratio(right, true))

    return score


def precision(outcome: Outcome) -> Scorer:
    """Of the rows given the positive label, the share that has it."""
    return _positive_or_macro(outcome, lambda right, given, true: ratio(right, given))  # noqa: ARG005


def recall(outcome: Outcome) -> Scorer:
    """Of the rows that have the positive label, the share given it."""
    return _positive_or_macro(outcome, lambda right, given, true: ratio(right, true))  # noqa: ARG005


def f1(outcome: Outcome) -> Scorer:
    """The harmonic mean of precision and recall, from the counts themselves: 0 where nothing is right."""
    return _positive_or_macro(outcome, lambda right, given, true: ratio(2 * right, given + true))


def _positive_or_macro(outcome: Outcome, combine: Combine) -> Scorer:
    if outcome.positive is None:
        return _macro(outcome, combine)
    positive = outcome.classes.index(outcome.positive) if outcome.positive in outcome.classes else -1
    given, true = outcome.predicted_codes == positive, outcome.truth_codes == positive
    columns = np.column_stack([given & true, given, true]).astype(float)
    return lambda weights: combine(*(weights @ columns).T)


def _macro(outcome: Outcome, combine: Combine) -> Scorer:
    count = _by_label(outcome)

    def score(weights: np.ndarray) -> np.ndarray:
        right, given, true = count(weights)
        return _mean_where(given + true > 0, np.nan_to_num(combine(right, given, true)))

    return score


def _by_label(outcome: Outcome) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Weights (B, n) → the weight rightly given, given and true, each (B, k): its cost does not grow with k."""
    labels = len(outcome.classes)
    right = outcome.truth_codes == outcome.predicted_codes

    def total(codes: np.ndarray, weights: np.ndarray) -> np.ndarray:
        cells = codes + labels * np.arange(len(weights))[:, np.newaxis]
        sums = np.bincount(cells.ravel(), weights.ravel(), minlength=labels * len(weights))
        return sums.reshape(len(weights), labels)

    def count(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rightly = total(outcome.truth_codes[right], weights[:, right])
        return rightly, total(outcome.predicted_codes, weights), total(outcome.truth_codes, weights)

    return count


def _mean_where(present: np.ndarray, values: np.ndarray) -> np.ndarray:
    return ratio(np.where(present, values, 0).sum(axis=1), present.sum(axis=1))
