"""Metrics of predicted numbers: errors in the target's unit, as shares of it, and the variance explained."""

from __future__ import annotations

import numpy as np

from trilho.metrics.metric import Scorer, ratio, weighted_mean
from trilho.metrics.outcome import Outcome

# Variance below this share of the squared distance from zero is rounding, not variance.
_ROUNDING = 1e-14


def mse(outcome: Outcome) -> Scorer:
    """The mean squared error."""
    return weighted_mean(_errors(outcome) ** 2)


def rmse(outcome: Outcome) -> Scorer:
    """The root of the mean squared error, in the target's unit."""
    squared = mse(outcome)
    return lambda weights: np.sqrt(squared(weights))


def mae(outcome: Outcome) -> Scorer:
    """The mean absolute error, in the target's unit."""
    return weighted_mean(np.abs(_errors(outcome)))


def mape(outcome: Outcome) -> Scorer:
    """The mean of |error| / |truth|: 0.1 is ten percent. A truth of 0 counts as the smallest float step, hence huge."""
    return weighted_mean(np.abs(_errors(outcome)) / np.maximum(np.abs(_truth(outcome)), np.finfo(float).eps))


def r2(outcome: Outcome) -> Scorer:
    """1 - squared error / squared distance from the mean; NaN where the truth does not vary."""
    squared_error = _errors(outcome) ** 2
    truth = _truth(outcome) - _truth(outcome).mean()

    def score(weights: np.ndarray) -> np.ndarray:
        mean = ratio(weights @ truth, weights.sum(axis=1))
        spread = (weights * (truth - mean[:, np.newaxis]) ** 2).sum(axis=1)
        spread = np.where(spread > _ROUNDING * (weights @ truth**2), spread, 0)
        return 1 - ratio(weights @ squared_error, spread)

    return score


def _truth(outcome: Outcome) -> np.ndarray:
    return np.asarray(outcome.truth, dtype=float)


def _errors(outcome: Outcome) -> np.ndarray:
    errors: np.ndarray = np.asarray(outcome.predicted, dtype=float) - _truth(outcome)
    return errors
