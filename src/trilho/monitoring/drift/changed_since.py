"""When did it begin: the moment before and after which the rows of a window differ most.

The window is cut into slices of equal length. Of all borders between slices the change is placed at the one with the
greatest

    sqrt(n m / (n + m)) * max over bins |F(bin) - G(bin)|

where F and G are the cumulative shares of the n rows before the border and the m rows after it. It does not decide
whether something changed; it answers once the rows of the whole window are known to differ from the training rows.

Source:
    Carlstein (1988), Nonparametric change-point estimation, Annals of Statistics 16(1), 188-197,
    doi:10.1214/aos/1176350699; the weight is that of the Kolmogorov-Smirnov test.
"""

from __future__ import annotations

import numpy as np

CERTAIN = 2.0  # of the figure above; one border's exceeds it with a chance of 0.0007 if nothing changes


def changed_since(slices: np.ndarray) -> int | None:
    """The slice that the change came with.

    Args:
        slices: Rows of each slice in each bin. Shape (slices, bins).

    Returns:
        Its place, at least 1; None where no border stands out, so that all slices are alike.

    Example:
        >>> changed_since(np.array([[50, 50], [48, 52], [10, 90], [12, 88]]))
        2
        >>> changed_since(np.array([[50, 50], [48, 52], [51, 49]])) is None
        True
    """
    before = np.cumsum(slices, axis=0, dtype=np.float64)[:-1]
    after = slices.sum(axis=0, dtype=np.float64) - before
    n, m = before.sum(axis=1), after.sum(axis=1)
    known = (n > 0) & (m > 0)
    if not known.any():
        return None
    n, m = np.maximum(n, 1.0), np.maximum(m, 1.0)
    distances = np.abs(np.cumsum(before, axis=1) / n[:, None] - np.cumsum(after, axis=1) / m[:, None]).max(axis=1)
    figures = np.where(known, np.sqrt(n * m / (n + m)) * distances, 0.0)
    place = int(figures.argmax())
    return place + 1 if figures[place] > CERTAIN else None
