"""The two-sample Kolmogorov-Smirnov test on counts at fixed edges: could both be samples of one distribution?

    D = max over edges |F(x) - G(x)|,  on both sides of an atom

with F and G the shares of the training rows and of the rows seen now that are at most x. The true D is a maximum over
all x and so at least as great: a p-value from this one is never too small. It is at most `error` greater, which is what
could lie between two edges; with the training percentiles as edges that is 1 or 2 percentage points where little has
moved. Ties make the p-value larger still. It is the one that scipy.stats.ks_2samp gives as method="asymp".

Source:
    Hodges (1958), The significance probability of the Smirnov two-sample test, Arkiv för Matematik 3(5), 469-486,
    doi:10.1007/BF02589501; Simard & L'Ecuyer (2011), Computing the two-sided Kolmogorov-Smirnov distribution, Journal
    of Statistical Software 39(11), doi:10.18637/jss.v039.i11, for the distribution of D.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trilho.bundle import NumberCounts
from trilho.monitoring.drift.distribution import distribution, known


class KolmogorovSmirnov(NamedTuple):
    """D, its p-value, and how much greater the D of the uncounted values could be."""

    statistic: float
    p_value: float
    error: float


def kolmogorov_smirnov(reference: NumberCounts, current: NumberCounts) -> KolmogorovSmirnov:
    """Test whether both were drawn from one distribution; rows without a value are left out.

    Args:
        reference: The training rows.
        current: Rows seen now, counted at the same edges.

    Returns:
        D in 0 to 1, p in 0 to 1; D is 0 and p 1 where one side has no rows.

    Example:
        >>> before = NumberCounts(name="x", edges=(0.0, 1.0, 2.0), counts=(50, 50, 50, 50))
        >>> now = NumberCounts(name="x", edges=(0.0, 1.0, 2.0), counts=(20, 40, 60, 80))
        >>> found = kolmogorov_smirnov(before, now)
        >>> round(found.statistic, 3), round(found.p_value, 6), round(found.error, 3)
        (0.2, 0.000555, 0.25)
    """
    from scipy.stats import kstwo

    n, m = known(reference), known(current)
    if not n or not m or not reference.edges:
        return KolmogorovSmirnov(0.0, 1.0, 0.0)
    before, now = distribution(reference), distribution(current)
    statistic = float(max(np.abs(before.at - now.at).max(), np.abs(before.below - now.below).max()))
    p_value = float(np.clip(kstwo.sf(statistic, round(n * m / (n + m)) or 1), 0.0, 1.0))
    # Between two edges F can be anything from what it is at the left one to what it is just below the right one.
    left_f, right_f = np.concatenate([[0.0], before.at]), np.concatenate([before.below, [1.0]])
    left_g, right_g = np.concatenate([[0.0], now.at]), np.concatenate([now.below, [1.0]])
    most = max(float((right_f - left_g).max()), float((right_g - left_f).max()), statistic)
    return KolmogorovSmirnov(statistic, p_value, most - statistic)
