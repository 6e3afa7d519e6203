"""The Jensen-Shannon distance of two lists of shares: how far apart they are, from 0 (equal) to 1 (nothing in common).

    JS = sqrt( (KL(p || a) + KL(q || a)) / 2 ),  a = (p + q) / 2,  KL in bits

It is a metric, and finite where a category is empty on one side. As every divergence of samples it is a little above 0
for samples of one distribution, the more so the fewer rows a category has; so it is taken over the categories that
`chi_squared` tests, in which small ones are one.

Source:
    Lin (1991), Divergence measures based on the Shannon entropy, IEEE Transactions on Information Theory 37(1),
    145-151, doi:10.1109/18.61115; Endres & Schindelin (2003), A new metric for probability distributions, the same
    49(7), 1858-1860, doi:10.1109/TIT.2003.813506, for the square root.
"""

from __future__ import annotations

import math
from collections.abc import Sequence


def jensen_shannon(reference: Sequence[int], current: Sequence[int]) -> float:
    """How far `current` is from `reference`.

    Args:
        reference: Rows of the training data in each category. Length k.
        current: Rows seen now, in the same categories.

    Returns:
        The distance, 0 to 1, no unit. 0 where one side has no rows at all.

    Example:
        >>> round(jensen_shannon([60, 40], [40, 60]), 4)
        0.1704
        >>> jensen_shannon([10, 0], [0, 10])
        1.0
    """
    n, m = sum(reference), sum(current)
    if not n or not m:
        return 0.0
    divergence = 0.0
    for old, new in zip(reference, current, strict=True):
        p, q = old / n, new / m
        middle = (p + q) / 2
        divergence += p * math.log2(p / middle) / 2 if p else 0.0
        divergence += q * math.log2(q / middle) / 2 if q else 0.0
    return math.sqrt(min(max(divergence, 0.0), 1.0))
