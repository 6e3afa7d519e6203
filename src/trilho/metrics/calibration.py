"""Do probabilities mean what they say? Of the rows given 0.8, eight in ten should be so.

Two figures, each for one label against the rest (of two labels, one is enough); the error also for the label that was
answered, whose probability is how sure the model is of being right:

    error     the root of the mean over bins of (mean probability - share s that is so)² - s (1 - s) / (n - 1), with n
              rows in the bin and what chance adds taken off; at most 10 bins of equally many rows, at least 50, by
              rising probability
    p_value   of Z = sum (y - p)(1 - 2p) / sqrt(sum (1 - 2p)² p (1 - p)), standard normal where every p is right

With several labels the greatest error counts, and the smallest p-value times their number.

Source:
    Kumar, Liang & Ma (2019), Verified uncertainty calibration, NeurIPS 32, arXiv:1909.10155, for the error, of which it
    takes off what chance alone would bring; Spiegelhalter (1986), Probabilistic prediction in patient management and
    clinical trials, Statistics in Medicine 5(5), 421-433, doi:10.1002/sim.4780050506, for Z.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trilho.metrics.outcome import Outcome

_BINS, _ROWS_IN_BIN = 10, 50


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How far a model's probabilities are from what came true, on `rows` rows that it was not trained on."""

    rows: int
    error: float
    p_value: float


def calibration(outcome: Outcome) -> Calibration | None:
    """Of an outcome's probabilities; None where it has none, no rows, or numbers that are not finite.

    Example:
        >>> said = np.array([0.8] * 10 + [0.3] * 10)
        >>> came = np.array([1] * 8 + [0] * 2 + [1] * 3 + [0] * 7)
        >>> found = calibration(
        ...     Outcome(
        ...         truth=came,
        ...         predicted=(said > 0.5).astype(int),
        ...         probabilities=np.column_stack([1 - said, said]),
        ...         labels=(0, 1),
        ...         positive=1,
        ...     )
        ... )
        >>> found.rows, round(found.error, 6), round(found.p_value, 6)
        (20, 0.0, 1.0)
    """
    if outcome.probabilities is None or not outcome.rows or not np.isfinite(outcome.probabilities).all():
        return None
    several = len(outcome.labels) > 2
    columns = range(len(outcome.labels)) if several else [len(outcome.labels) - 1]
    pairs = [(outcome.probabilities[:, place].astype(float), outcome.truth_codes == place) for place in columns]
    sure = outcome.scores[np.arange(outcome.rows), outcome.predicted_codes].astype(float)
    right = outcome.predicted_codes == outcome.truth_codes
    return Calibration(
        rows=outcome.rows,
        error=max(_error(said, came) for said, came in [*pairs, (sure, right)]),
        p_value=min(1.0, len(pairs) * min(_p_value(said, came) for said, came in pairs)),
    )


# ----------------------------------------------------------------------------------------------------------------------


def _error(said: np.ndarray, came: np.ndarray) -> float:
    order = np.argsort(said, kind="stable")
    bins = np.array_split(order, min(_BINS, max(1, len(said) // _ROWS_IN_BIN)))
    squares = 0.0
    for rows in bins:
        share, size = float(came[rows].mean()), len(rows)
        apart = (float(said[rows].mean()) - share) ** 2
        squares += size * (apart - share * (1 - share) / (size - 1) if size > 1 else apart)
    return math.sqrt(max(squares, 0.0) / len(said))


def _p_value(said: np.ndarray, came: np.ndarray) -> float:
    apart = float(((came - said) * (1 - 2 * said)).sum())
    variance = float(((1 - 2 * said) ** 2 * said * (1 - said)).sum())
    if variance <= 0:  # nothing but certainties and even chances
        return 1.0 if abs(apart) < 1e-9 else 0.0
    return math.erfc(abs(apart) / math.sqrt(2 * variance))
