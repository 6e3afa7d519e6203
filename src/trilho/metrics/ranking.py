"""Metrics of order, whatever the threshold: the areas under the ROC and the precision-recall curve.

Rows of equal score are one step of the curve, so ties cost neither side. With more than two labels each label is set
against the rest and the areas are averaged (one-vs-rest, macro); a label without a single row leaves it undefined.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trilho.metrics.metric import Scorer, ratio
from trilho.metrics.outcome import Outcome

# Weights (B, n) → the positive and the negative weight of each distinct score, (B, g) each.
Steps = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def roc_auc(outcome: Outcome) -> Scorer:
    """The chance that a positive row scores above a negative one, ties counting half.

    Source:
        Hanley & McNeil (1982), Radiology 143(1), 29-36.
    """
    return _positive_or_mean(outcome, _area_under_roc)


def average_precision(outcome: Outcome) -> Scorer:
    """Precision at each threshold, weighted by the recall that it adds; nothing is interpolated between thresholds."""
    return _positive_or_mean(outcome, _average_precision)


def _positive_or_mean(outcome: Outcome, area: Callable[[np.ndarray, np.ndarray], Scorer]) -> Scorer:
    scores = outcome.scores
    if outcome.positive is not None:
        column = outcome.classes.index(outcome.positive) if outcome.positive in outcome.classes else None
        if column is None:
            return lambda weights: np.full(len(weights), np.nan)
        return area(outcome.truth_codes == column, scores[:, column])
    each = [area(outcome.truth_codes == column, scores[:, column]) for column in range(len(outcome.classes))]
    return lambda weights: np.mean([score(weights) for score in each], axis=0)


def _area_under_roc(positive: np.ndarray, scores: np.ndarray) -> Scorer:
    steps = _steps(positive, scores)

    def score(weights: np.ndarray) -> np.ndarray:
        hit, miss = steps(weights)
        all_hit, all_miss = hit.sum(axis=1), miss.sum(axis=1)
        above = all_miss[:, np.newaxis] - np.cumsum(miss, axis=1)  # negatives of a lower score
        won = np.einsum("bg,bg->b", hit, above + miss / 2)
        return ratio(won, all_hit * all_miss)

    return score


def _average_precision(positive: np.ndarray, scores: np.ndarray) -> Scorer:
    steps = _steps(positive, scores)

    def score(weights: np.ndarray) -> np.ndarray:
        hit, miss = steps(weights)
        found = np.cumsum(hit, axis=1)
        precision = np.nan_to_num(ratio(found, found + np.cumsum(miss, axis=1)))
        return ratio(np.einsum("bg,bg->b", hit, precision), found[:, -1])

    return score


def _steps(positive: np.ndarray, scores: np.ndarray) -> Steps:
    """From the highest score down."""
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    is_hit = positive[order].astype(float)
    tied = len(starts) < len(order)

    def sums(weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        inside = weights[:, order]
        hit = inside * is_hit
        if tied:
            hit, inside = np.add.reduceat(hit, starts, axis=1), np.add.reduceat(inside, starts, axis=1)
        return hit, np.maximum(inside - hit, 0)  # a difference of sums may fall a hair below 0

    return sums
