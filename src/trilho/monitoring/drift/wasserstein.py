"""The Wasserstein distance, in standard deviations of the training rows: how far values have moved, on average.

    W = integral of |F(x) - G(x)| dx / s

with F and G the distribution functions of the training rows and of the rows seen now. It is the least average way by
which the ones must be shifted to become the others; a shift of all values by half a standard deviation gives 0.5.

F and G are known at the profile's edges and taken as straight between them; s is that of values at the middle of their
bins. The true distance lies within `error` of the one given. Values outside the training range count as lying at its
end, so that one absurd value cannot move the distance far: `out_of_range` reports them.

Source:
    Ramdas, García Trillos & Cuturi (2017), On Wasserstein two-sample testing and related families of nonparametric
    tests, Entropy 19(2), 47, doi:10.3390/e19020047. Dividing by the training rows' deviation is custom.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from trilho.bundle import NumberCounts
from trilho.monitoring.drift.distribution import distribution, known


class Wasserstein(NamedTuple):
    """The distance and what binning may have added to it or taken away; both in standard deviations."""

    distance: float
    error: float


def wasserstein(reference: NumberCounts, current: NumberCounts) -> Wasserstein:
    """How far the values have moved; rows without a value are left out.

    Args:
        reference: The training rows.
        current: Rows seen now, counted at the same edges.

    Returns:
        0 for equal counts, no unit. 0 where one side has no rows, or all training rows hold one value.

    Example:
        >>> before = NumberCounts(name="x", edges=(0.0, 1.0, 2.0), counts=(0, 100, 100, 0))
        >>> now = NumberCounts(name="x", edges=(0.0, 1.0, 2.0), counts=(0, 50, 150, 0))
        >>> [round(number, 3) for number in wasserstein(before, now)]
        [0.5, 2.0]
    """
    if not known(reference) or not known(current) or len(reference.edges) < 2:
        return Wasserstein(0.0, 0.0)
    before, now = distribution(reference), distribution(current)
    widths = np.diff(reference.edges)
    left, right = (before.at - now.at)[:-1], (before.below - now.below)[1:]
    inside = (before.below[1:] - before.at[:-1]) + (now.below[1:] - now.at[:-1])
    spread = _deviation(reference)
    if not spread > 0 or not math.isfinite(spread):
        return Wasserstein(0.0, 0.0)
    distance = float((widths * _mean_size(left, right)).sum())
    return Wasserstein(distance / spread, float((widths * inside).sum()) / 2 / spread)


# ----------------------------------------------------------------------------------------------------------------------


def _mean_size(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """The mean of |y| on straight lines from `left` to `right`, which may cross 0."""
    sizes = np.abs(left) + np.abs(right)
    crossing = left * right < 0
    found: np.ndarray = np.where(crossing, (left**2 + right**2) / np.where(sizes > 0, 2 * sizes, 1.0), sizes / 2)
    return found


def _deviation(counts: NumberCounts) -> float:
    """The standard deviation of values at the middle of their bins; those outside the edges lie at the ends."""
    edges = np.array(counts.edges)
    shares = distribution(counts)
    inside = shares.below[1:] - shares.at[:-1]
    at_edges = np.concatenate([[shares.at[0]], shares.at[1:] - shares.below[1:]])
    at_edges[-1] += 1.0 - shares.at[-1]
    values = np.concatenate([edges, (edges[1:] + edges[:-1]) / 2])
    weights = np.concatenate([at_edges, inside])
    mean = float((weights * values).sum())
    return math.sqrt(max(float((weights * (values - mean) ** 2).sum()), 0.0))
