"""The population stability index of counted columns: one number for how far a column has moved.

    PSI = sum over bins of (q - p) * ln(q / p)

with p the bin's share of the training rows and q its share of the rows seen now; a bin that is empty on one side counts
as half an observation there. It is the symmetric Kullback-Leibler (Jeffreys) divergence of the two histograms.

Equal distributions do not give 0: the index of two samples of n and m rows in B bins, divided by (1/n + 1/m), follows a
chi-squared distribution of B - 1 degrees of freedom. So an index counts as moved only above `noise` as well.

Source:
    Yurdakul & Naranjo (2020), Statistical properties of the population stability index, Journal of Risk Model
    Validation 14(4), doi:10.21314/JRMV.2020.227. That 0.2 means "moved" is custom in credit scoring, not a test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from trilho.bundle import CategoryCounts, NumberCounts

MOVED = 0.2
LEVEL = 0.001  # chance that equal distributions exceed `noise`, for each column
BINS = 10


def population_stability_index(reference: Sequence[int], current: Sequence[int]) -> float:
    """How far `current` has moved away from `reference`.

    Args:
        reference: Rows of the training data in each bin. Length B.
        current: Rows seen now, in the same bins.

    Returns:
        The index: no unit, 0 for equal shares, no upper limit. 0 where one side has no rows at all.

    Example:
        >>> round(population_stability_index([100, 100], [50, 150]), 3)
        0.275
    """
    before, now = sum(reference), sum(current)
    if not before or not now:
        return 0.0
    index = 0.0
    for old, new in zip(reference, current, strict=True):
        if old or new:
            p, q = (old or 0.5) / before, (new or 0.5) / now
            index += (q - p) * math.log(q / p)
    return index


def noise(reference: Sequence[int], current: Sequence[int], level: float = LEVEL) -> float:
    """The index that two samples of one distribution, of these sizes, exceed with a chance of `level`.

    Example:
        >>> round(noise([100] * 10, [20] * 10), 3)
        0.167
    """
    from scipy.special import chdtri

    bins = sum(1 for old, new in zip(reference, current, strict=True) if old or new)
    before, now = sum(reference), sum(current)
    if bins < 2 or not before or not now:
        return 0.0
    return float(chdtri(bins - 1, level)) * (1 / before + 1 / now)


def shared_bins(
    reference: NumberCounts | CategoryCounts, current: NumberCounts | CategoryCounts
) -> tuple[list[int], list[int]]:
    """The counts of both in few common bins, for the index above.

    Neighbouring bins are put together until each holds a tenth of the training rows (categories in the order of their
    frequency): the profile's hundred would measure chance more than change. Values that training did not have, and rows
    without a value, have a bin of their own.
    """
    old, new = [0], [0]
    enough = sum(reference.counts) / BINS
    for before, now in zip(reference.counts, current.counts, strict=True):
        if old[-1] and old[-1] >= enough:
            old.append(0)
            new.append(0)
        old[-1] += before
        new[-1] += now
    if len(old) > 1 and old[-1] < enough:  # what is left over
        last, seen = old.pop(), new.pop()
        old[-1] += last
        new[-1] += seen
    if isinstance(reference, CategoryCounts) and isinstance(current, CategoryCounts):
        old.append(reference.other)
        new.append(current.other)
    return [*old, reference.missing], [*new, current.missing]
