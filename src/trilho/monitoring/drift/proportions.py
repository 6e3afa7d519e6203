"""Two shares of rows: an interval of their difference, and an exact test.

Source:
    Newcombe (1998), Interval estimation for the difference between independent proportions: comparison of eleven
    methods, Statistics in Medicine 17(8), 873-890; its method 10, made of two Wilson score intervals.
    Clopper & Pearson (1934), The use of confidence or fiducial limits illustrated in the case of the binomial,
    Biometrika 26(4), 404-413, doi:10.1093/biomet/26.4.404.
"""

from __future__ import annotations

import math

Interval = tuple[float, float]


def difference(before: int, of_before: int, now: int, of_now: int, confidence: float = 0.95) -> Interval:
    """The interval of `now / of_now - before / of_before`; (-1, 1) where one side has no rows.

    Example:
        >>> [round(bound, 4) for bound in difference(48, 80, 56, 70)]
        [0.0524, 0.3339]
    """
    if not of_before or not of_now:
        return -1.0, 1.0
    p, q = before / of_before, now / of_now
    low_p, high_p = _wilson(before, of_before, confidence)
    low_q, high_q = _wilson(now, of_now, confidence)
    low = q - p - math.hypot(q - low_q, high_p - p)
    high = q - p + math.hypot(high_q - q, p - low_p)
    return max(low, -1.0), min(high, 1.0)


def share_interval(count: int, rows: int, confidence: float = 0.95) -> Interval:
    """The exact (Clopper-Pearson) interval of a share; (0, 1) where there are no rows.

    Example:
        >>> [round(bound, 4) for bound in share_interval(10, 100)]
        [0.049, 0.1762]
    """
    from scipy.special import betaincinv

    tail = (1.0 - confidence) / 2
    low = 0.0 if count == 0 else float(betaincinv(count, rows - count + 1, tail))
    high = 1.0 if count == rows else float(betaincinv(count + 1, rows - count, 1.0 - tail))
    return low, high


def more_than_before(before: int, of_before: int, now: int, of_now: int) -> float:
    """The one-sided p-value of Fisher's exact test that the share has not grown; 1 where one side has no rows.

    Written as the chance that, `before` of `of_before` rows being known, `now` or more of the next `of_now` would come
    from the same place: the beta-binomial form that a test of the next rows has.

    Example:
        >>> round(more_than_before(1, 100, 8, 100), 4)
        0.0174
    """
    from scipy.stats import betabinom

    if not of_before or not of_now:
        return 1.0
    if before >= of_before or now <= 0:
        return 1.0
    return float(min(betabinom.sf(now - 1, of_now, before + 1, of_before - before), 1.0))


# ----------------------------------------------------------------------------------------------------------------------


def _wilson(count: int, rows: int, confidence: float) -> Interval:
    from scipy.special import ndtri

    z = float(ndtri(0.5 + confidence / 2))
    share, square = count / rows, z * z / rows
    middle = (share + square / 2) / (1 + square)
    reach = z / (1 + square) * math.sqrt(share * (1 - share) / rows + square / (4 * rows))
    return max(middle - reach, 0.0), min(middle + reach, 1.0)
