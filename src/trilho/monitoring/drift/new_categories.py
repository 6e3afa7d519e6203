"""Categories that training did not have: more of them than chance brings?

Where training held rare categories, further rows hold new ones. The share of rows whose category a sample has missed is
estimated by its categories seen once, divided by its rows (Good-Turing): each of those would have been new had its one
row been left out. The test is Fisher's, one-sided, of the new ones among the rows seen now against the
once-seen ones among the training rows. The interval is the exact one of the share seen now.

Source:
    Good (1953), The population frequencies of species and the estimation of population parameters, Biometrika 40(3/4),
    237-264, doi:10.1093/biomet/40.3-4.237; for interval and test see `proportions`.
"""

from __future__ import annotations

from typing import NamedTuple

from trilho.bundle import CategoryCounts
from trilho.monitoring.drift.proportions import Interval, more_than_before, share_interval


class NewCategories(NamedTuple):
    """The share of rows in categories that the profile does not name, its 95 % interval, and the p-value.

    Args:
        excess: By how much the share is above what was to be expected.
    """

    share: float
    interval: Interval
    excess: float
    p_value: float


def new_categories(reference: CategoryCounts, current: CategoryCounts) -> NewCategories:
    """How many rows hold a category that is new.

    Args:
        reference: The training rows. Of more than 1,000 categories the rarest are not named; they count as once seen.
        current: Rows seen now.

    Returns:
        Shares of the rows with a value, 0 to 1; 0 with p 1 where one side has none.

    Example:
        >>> before = CategoryCounts(name="c", values=("a", "b"), counts=(99, 1))
        >>> now = CategoryCounts(name="c", values=("a", "b"), counts=(90, 0), other=10)
        >>> found = new_categories(before, now)
        >>> found.share, round(found.excess, 3), round(found.p_value, 4)
        (0.1, 0.09, 0.0048)
    """
    n, m = sum(reference.counts) + reference.other, sum(current.counts) + current.other
    if not n or not m:
        return NewCategories(0.0, (0.0, 1.0), 0.0, 1.0)
    expected = reference.other + sum(1 for count in reference.counts if count == 1)
    share = current.other / m
    p_value = more_than_before(expected, n, current.other, m)
    return NewCategories(share, share_interval(current.other, m), share - expected / n, p_value)
