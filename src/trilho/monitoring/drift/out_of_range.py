"""Values below the training minimum or above the training maximum: more than chance puts there?

Of m further rows of the same distribution, how many lie outside the range of n training rows does not depend on that
distribution: it is beta-binomial with parameters 2 and n - 1, for two of the n + 1 gaps between training values lie
outside. About 2 m / (n + 1) are to be expected. Where several training rows share the minimum and it is no atom, rows
seen now that equal it cannot be told from those below; they count on both sides then, and the p-value is Fisher's.

Source:
    Wilks (1942), Statistical prediction with special reference to the problem of tolerance limits, Annals of
    Mathematical Statistics 13(4), 400-409, doi:10.1214/aoms/1177731537.
"""

from __future__ import annotations

from typing import NamedTuple

from trilho.bundle import NumberCounts
from trilho.monitoring.drift.distribution import known
from trilho.monitoring.drift.proportions import Interval, difference, more_than_before


class OutOfRange(NamedTuple):
    """The share outside now less the share at the minimum in training, its 95 % interval, and the p-value."""

    difference: float
    interval: Interval
    p_value: float


def out_of_range(reference: NumberCounts, current: NumberCounts) -> OutOfRange:
    """How much larger the share of values outside the training range is now.

    Args:
        reference: The training rows, whose range it is.
        current: Rows seen now, counted at the same edges.

    Returns:
        The difference in -1 to 1; 0 with p 1 where one side has no values.

    Example:
        >>> before = NumberCounts(name="x", edges=(0.0, 1.0), counts=(1, 999, 0))
        >>> now = NumberCounts(name="x", edges=(0.0, 1.0), counts=(0, 90, 10))
        >>> found = out_of_range(before, now)
        >>> round(found.difference, 3), f"{found.p_value:.0e}"
        (0.099, '3e-10')
    """
    n, m = known(reference), known(current)
    if not n or not m or not reference.edges:
        return OutOfRange(0.0, (-1.0, 1.0), 1.0)
    old, new = outside(reference), outside(current)
    p_value = more_than_before(max(old, 1), n, new, m)
    return OutOfRange(new / m - old / n, difference(old, n, new, m), p_value)


def outside(counts: NumberCounts) -> int:
    """Rows below the first edge or above the last; of rows equal to the first only those that nothing tells apart."""
    at_minimum = counts.atom_counts[0] if counts.atoms and counts.atoms[0] == counts.edges[0] else 0
    return counts.counts[0] - at_minimum + counts.counts[-1]
