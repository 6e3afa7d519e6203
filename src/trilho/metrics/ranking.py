"""Metrics of order, whatever the threshold: the areas under the ROC and the precision-recall curve.

Rows of equal score are one step of the curve, so ties cost neither side. With more than two labels each label is set
against the rest and the areas are averaged (one-vs-rest, macro); a label without a single row leaves it undefined.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from trilho.metrics.metric import Scorer, ratio
from trilho.metrics.outcome import Outcome


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
    hits, misses = _lowest_first(positive, scores), _lowest_first(~positive, scores)
    below = np.searchsorted(scores[misses], scores[hits], "left")
    not_above = np.searchsorted(scores[misses], scores[hits], "right")

    def score(weights: np.ndarray) -> np.ndarray:
        weight = weights[:, hits]
        lower = _running_total(weights[:, misses])
        won = np.einsum("bh,bh->b", weight, lower[:, below] + lower[:, not_above]) / 2
        return ratio(won, weight.sum(axis=1) * lower[:, -1])

    return score


def _average_precision(positive: np.ndarray, scores: np.ndarray) -> Scorer:
    hits, misses = _lowest_first(positive, scores)[::-1], _lowest_first(~positive, scores)[::-1]
    # The threshold at each positive row takes in all rows of its score or a higher one.
    found_there = np.searchsorted(-scores[hits], -scores[hits], "right")
    missed_there = np.searchsorted(-scores[misses], -scores[hits], "right")

    def score(weights: np.ndarray) -> np.ndarray:
        weight = weights[:, hits]
        found = _running_total(weight)
        right = found[:, found_there]
        precision = np.nan_to_num(ratio(right, right + _running_total(weights[:, misses])[:, missed_there]))
        return ratio(np.einsum("bh,bh->b", weight, precision), found[:, -1])

    return score


def _lowest_first(which: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """The rows of `which` by rising score: what is looked up in this order walks through memory once."""
    rows = np.flatnonzero(which)
    ordered: np.ndarray = rows[np.argsort(scores[rows], kind="stable")]
    return ordered


def _running_total(weights: np.ndarray) -> np.ndarray:
    """Column j holds the weight of the first j rows. Shape (B, n + 1)."""
    total = np.zeros((len(weights), weights.shape[1] + 1))
    np.cumsum(weights, axis=1, out=total[:, 1:])
    return total
