"""Distribution functions from counts: what is known exactly, and where."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from trilho.bundle import NumberCounts


class Distribution(NamedTuple):
    """The share of rows up to each edge.

    At an atom both sides are known; at another edge `below` is the share up to it as well, because how many rows hold
    exactly that value was not counted.

    Args:
        below: Share of the rows with x < edge. Shape (edges,).
        at: Share of the rows with x <= edge. Shape (edges,).
    """

    below: np.ndarray
    at: np.ndarray


def known(counts: NumberCounts) -> int:
    """Rows that hold a value."""
    return sum(counts.counts)


def distribution(counts: NumberCounts) -> Distribution:
    """The distribution function of counted rows; zeros where there are none.

    Example:
        >>> column = NumberCounts(name="x", edges=(0.0, 1.0), counts=(5, 3, 2), atoms=(0.0,), atom_counts=(4,))
        >>> distribution(column).below.tolist(), distribution(column).at.tolist()
        ([0.1, 0.8], [0.5, 0.8])
    """
    rows = max(known(counts), 1)
    at = np.cumsum(counts.counts[:-1], dtype=np.float64)
    below = at.copy()
    for atom, count in zip(counts.atoms, counts.atom_counts, strict=True):
        below[np.searchsorted(counts.edges, atom)] -= count
    return Distribution(below / rows, at / rows)
