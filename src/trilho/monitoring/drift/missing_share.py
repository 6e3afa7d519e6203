"""Rows without a value: has their share changed?

The effect is the difference of the shares; its interval is Newcombe's, the test Fisher's exact one of the two-by-two
table, two-sided.

Source:
    Fisher (1922), On the interpretation of χ² from contingency tables, and the calculation of P, Journal of the Royal
    Statistical Society 85(1), 87-94, doi:10.2307/2340521; for the interval see `proportions`.
"""

from __future__ import annotations

from typing import NamedTuple

from trilho.bundle import CategoryCounts, NumberCounts
from trilho.monitoring.drift.proportions import Interval, difference

ColumnCounts = NumberCounts | CategoryCounts


class MissingShare(NamedTuple):
    """The share missing now less the share missing in training, its 95 % interval, and the test's p-value."""

    difference: float
    interval: Interval
    p_value: float


def missing_share(reference: ColumnCounts, current: ColumnCounts) -> MissingShare:
    """How much larger the share of rows without a value is now.

    Args:
        reference: The training rows.
        current: Rows seen now.

    Returns:
        The difference in -1 to 1; 0 with p 1 where one side has no rows.

    Example:
        >>> before = CategoryCounts(name="c", values=("a",), counts=(95,), missing=5)
        >>> now = CategoryCounts(name="c", values=("a",), counts=(80,), missing=20)
        >>> found = missing_share(before, now)
        >>> round(found.difference, 3), round(found.p_value, 4)
        (0.15, 0.0022)
    """
    from scipy.stats import fisher_exact

    n, m = all_rows(reference), all_rows(current)
    if not n or not m:
        return MissingShare(0.0, (-1.0, 1.0), 1.0)
    old, new = reference.missing, current.missing
    p_value = 1.0 if old + new in (0, n + m) else float(fisher_exact([[old, n - old], [new, m - new]]).pvalue)
    return MissingShare(new / m - old / n, difference(old, n, new, m), min(p_value, 1.0))


def all_rows(counts: ColumnCounts) -> int:
    """Rows with and without a value."""
    return sum(counts.counts) + (counts.other if isinstance(counts, CategoryCounts) else 0) + counts.missing
