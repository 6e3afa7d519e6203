"""The chi-squared test of homogeneity: do both samples hold the categories in the same shares?

    X² = sum over samples and categories of (observed - expected)² / expected

with (categories - 1) degrees of freedom. It is an approximation that needs some rows in each cell: categories of which
either sample is expected to hold fewer than 5 rows are put into one, together with all categories that training did not
have. Rows without a value are left out.

Source:
    Pearson (1900), On the criterion that a given system of deviations …, Philosophical Magazine 50(302), 157-175,
    doi:10.1080/14786440009463897; Cochran (1954), Some methods for strengthening the common χ² tests, Biometrics 10(4),
    417-451, doi:10.2307/3001616, for the smallest expected count.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from trilho.bundle import CategoryCounts

LEAST = 5.0  # expected rows of a category in either sample


class ChiSquared(NamedTuple):
    """X², its degrees of freedom and p-value."""

    statistic: float
    freedom: int
    p_value: float


def chi_squared(reference: CategoryCounts, current: CategoryCounts) -> ChiSquared:
    """Test whether both were drawn from one distribution.

    Args:
        reference: The training rows.
        current: Rows seen now, of the same categories.

    Returns:
        X² of at least 0; 0 with p 1 where there is nothing to compare.

    Example:
        >>> before = CategoryCounts(name="c", values=("a", "b"), counts=(60, 40))
        >>> now = CategoryCounts(name="c", values=("a", "b"), counts=(40, 60))
        >>> found = chi_squared(before, now)
        >>> round(found.statistic, 3), found.freedom, round(found.p_value, 5)
        (8.0, 1, 0.00706)
    """
    from scipy.special import chdtrc
    from scipy.stats import fisher_exact

    old, new = pooled(reference, current)
    n, m = sum(old), sum(new)
    freedom = len(old) - 1
    if freedom < 1 or not n or not m:
        return ChiSquared(0.0, 0, 1.0)
    statistic = 0.0
    for before, now in zip(old, new, strict=True):
        share = (before + now) / (n + m)
        statistic += (before - n * share) ** 2 / (n * share) + (now - m * share) ** 2 / (m * share)
    p_value = fisher_exact([old, new]).pvalue if freedom == 1 else chdtrc(freedom, statistic)
    return ChiSquared(statistic, freedom, min(float(p_value), 1.0))


def pooled(reference: CategoryCounts, current: CategoryCounts) -> tuple[Sequence[int], Sequence[int]]:
    """Counts of both in categories that are large enough, the last of them made of those that are not.

    Example:
        >>> before = CategoryCounts(name="c", values=("a", "b", "c"), counts=(90, 8, 2))
        >>> now = CategoryCounts(name="c", values=("a", "b", "c"), counts=(80, 7, 1), other=12)
        >>> pooled(before, now)
        ([90, 8, 2], [80, 7, 13])
    """
    pairs = sorted(zip(reference.counts, current.counts, strict=True), key=sum, reverse=True)
    n, m = sum(reference.counts) + reference.other, sum(current.counts) + current.other
    smaller = min(n, m) / max(n + m, 1)
    large = [pair for pair in pairs if sum(pair) * smaller >= LEAST] or pairs[:1]
    small = pairs[len(large) :]
    rest = [reference.other + sum(old for old, _ in small), current.other + sum(new for _, new in small)]
    while len(large) > 1 and 0 < sum(rest) * smaller < LEAST:  # too small together: with the smallest of the large
        old, new = large.pop()
        rest = [rest[0] + old, rest[1] + new]
    if sum(rest):
        large.append((rest[0], rest[1]))
    return [old for old, _ in large], [new for _, new in large]
