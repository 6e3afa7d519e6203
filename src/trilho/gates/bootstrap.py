"""How far a measured number may be from the truth: resample the test rows and see how far it moves.

The bound is the number minus Student's t times the bootstrap's standard error. Two choices behind it, both made by
`benchmarks/gate_intervals.py`, where percentile and BCa bounds let through up to three times as many worse models on
test sets of 50 to 100 rows:

- Each stratum of k rows (or all k groups) is resampled by k - 1 draws, weighed k / (k - 1). For a mean this gives the
  unbiased variance, where k draws give one too small by the factor (k - 1) / k: it matters for rare classes and few
  groups.
- The bound is normal-theory with t, not a percentile: on small sets with few distinct values the bootstrap's tail is
  too short, its standard error is not.

Sources:
    Efron & Tibshirani (1993), An Introduction to the Bootstrap, chapters 6, 8 and 12; Chapman & Hall.
    Rao & Wu (1988), Resampling inference with complex survey data, J. Am. Stat. Assoc. 83(401), 231-241: k - 1 draws.
    Bloom (1995), Minimum detectable effects, Evaluation Review 19(5), 547-556: `detectable`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

RESAMPLES = 1000  # the standard error is then known to 2 %: 1 / sqrt(2 * 1000)
POWER = 0.8  # of `detectable`, by custom
_CELLS = 1 << 18  # weights drawn at once: what fits a core's cache

Statistic = Callable[[np.ndarray], np.ndarray]  # weights (B, n) → values (B,)


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A statistic of the rows, and how sure one may be of it.

    Args:
        value: On the rows as they are; NaN where undefined.
        standard_error: Its bootstrap standard error; NaN where fewer than two resamples were defined.
        lower: One-sided bound: the truth is above it with the asked confidence.
        upper: The same from above.
        detectable: The smallest true difference from a required value that would show in 80 of 100 such sets of rows,
            (t of the confidence + t of 80 % power) standard errors; None where the statistic did not move at all.
        undefined: How many resamples had no value; they are left out of the standard error.
    """

    value: float
    standard_error: float
    lower: float
    upper: float
    detectable: float | None
    undefined: int
    resamples: int


def estimate(
    statistic: Statistic,
    *,
    rows: int,
    strata: np.ndarray | None = None,
    groups: np.ndarray | None = None,
    confidence: float = 0.95,
    random_state: int = 42,
    resamples: int = RESAMPLES,
) -> Estimate:
    """The statistic's value with bounds, from `resamples` weightings of the rows; the same for the same random_state.

    Args:
        statistic: Weights of the rows, shape (B, n), to values, shape (B,).
        strata: Class of each row, shape (n,): the number of rows of each class stays as it is.
        groups: Group of each row, shape (n,): whole groups are drawn, as rows of one group are not independent. Strata
            then do not count, as a group may hold several classes.
        confidence: Of each bound, between 0.5 and 1.

    Example:
        >>> errors = np.arange(100.0)
        >>> found = estimate(lambda w: w @ errors / w.sum(axis=1), rows=100)
        >>> found.value, round(found.lower, 1), round(found.upper, 1)
        (49.5, 44.7, 54.3)
    """
    from scipy.special import stdtrit

    unit_of_row = np.arange(rows) if groups is None else np.unique(groups, return_inverse=True)[1]
    units = int(unit_of_row.max()) + 1 if rows else 0
    members = _members(units, strata if groups is None else None)
    value = float(statistic(np.ones((1, rows)))[0])
    draws = _draws(members, units, resamples, random_state, rows)
    drawn = np.concatenate([statistic(drawn if groups is None else drawn[:, unit_of_row]) for drawn in draws])
    defined = drawn[np.isfinite(drawn)]
    error = float(defined.std(ddof=1)) if len(defined) > 1 else math.nan
    freedom = units - len(members)
    quantile, power = (float(stdtrit(max(freedom, 1), share)) for share in (confidence, POWER))
    return Estimate(
        value=value,
        standard_error=error,
        lower=value - quantile * error,
        upper=value + quantile * error,
        detectable=(quantile + power) * error if error > 0 else None,
        undefined=resamples - len(defined),
        resamples=resamples,
    )


def _members(units: int, strata: np.ndarray | None) -> list[np.ndarray]:
    """The units of each stratum."""
    if strata is None:
        return [np.arange(units)]
    codes = np.unique(strata, return_inverse=True)[1]
    return [np.flatnonzero(codes == code) for code in range(int(codes.max()) + 1)]


def _draws(members: list[np.ndarray], units: int, resamples: int, random_state: int, rows: int) -> Iterator[np.ndarray]:
    """Weights of the units, some resamples at a time. Shape (b, units)."""
    rng = np.random.default_rng(random_state)
    scale = np.ones(units)
    for inside in members:
        scale[inside] = len(inside) / max(len(inside) - 1, 1)
    step = max(1, _CELLS // max(rows, 1))
    for start in range(0, resamples, step):
        count = min(step, resamples - start)
        offset = units * np.arange(count)[:, np.newaxis]
        cells = [inside[rng.integers(0, len(inside), (count, max(len(inside) - 1, 1)))] + offset for inside in members]
        hits = np.bincount(np.concatenate(cells, axis=1).ravel(), minlength=count * units)
        yield hits.reshape(count, units) * scale
