"""Counts as the shapes of a small picture: training rows behind, the rows of the window in front of them.

A report's bins of numbers hold equally many training rows each, which is exact and looks like nothing. Here they are
poured into cells of equal width, each evenly over its own width, so that the shape is the one people know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from trilho.monitoring.figures import cut, number
from trilho.monitoring.report import Histogram

CELLS = 30
HEIGHT = 60  # of the picture, in its own units; a cell is 10 wide
_CELL = 10
_FEW = 8  # edges up to which numbers are drawn as categories
_LITTLE = 0.01  # share up to which what lies outside needs no bar of its own


@dataclass(frozen=True, kw_only=True)
class Picture:
    """Two outlines on one ground.

    Args:
        width: Of the view box, whose height is HEIGHT.
        old, new: SVG path data.
        begin, end: What stands at its ends.
    """

    width: int
    old: str
    new: str
    begin: str = ""
    end: str = ""


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One category: its share in the training rows and in the window."""

    label: str
    old: float
    new: float


def picture(counted: Histogram) -> Picture | None:
    """Of numbers, an outline over their range; of categories, one column each. None without rows on either side."""
    old, new = _shares(counted.reference), _shares(counted.current)
    if old is None or new is None:
        return None
    edges = np.asarray(counted.edges, dtype=float)
    if len(edges) <= _FEW or not np.isfinite(edges).all():
        # Categories stand apart, each two cells wide.
        top = max(float(old.max()), float(new.max()))
        gaps = [(place * 3 * _CELL, 2 * _CELL) for place in range(len(old))]
        return Picture(width=len(old) * 3 * _CELL - _CELL, old=_path(gaps, old, top), new=_path(gaps, new, top))
    low, high = _domain(edges)
    (under, inside, over), (below, within, above) = (_poured(edges, part, low, high) for part in (old, new))
    spots = [(place * _CELL, _CELL) for place in range(CELLS)]
    if max(under, below) > _LITTLE:
        spots = [(0, 2 * _CELL), *((start + 3 * _CELL, width) for start, width in spots)]
        inside, within = np.concatenate([[under], inside]), np.concatenate([[below], within])
    else:
        inside[0], within[0] = inside[0] + under, within[0] + below
    if max(over, above) > _LITTLE:
        spots = [*spots, (spots[-1][0] + 2 * _CELL, 2 * _CELL)]
        inside, within = np.concatenate([inside, [over]]), np.concatenate([within, [above]])
    else:
        inside[-1], within[-1] = inside[-1] + over, within[-1] + above
    top = max(float(inside.max()), float(within.max()))
    return Picture(
        width=spots[-1][0] + spots[-1][1],
        old=_path(spots, inside, top),
        new=_path(spots, within, top),
        begin=("≤ " if max(under, below) > _LITTLE else "") + _end(low, high - low),
        end=("> " if max(over, above) > _LITTLE else "") + _end(high, high - low),
    )


def bars(counted: Histogram) -> tuple[Bar, ...]:
    """Categories, or numbers that have few values, with their shares; () for all others and without rows."""
    old, new = _shares(counted.reference), _shares(counted.current)
    if old is None or new is None or (not counted.labels and len(counted.edges) > _FEW):
        return ()
    if counted.labels:
        names = [*counted.labels, "all others"]
    elif counted.edges:
        names = [f"≤ {number(counted.edges[0])}"]
        names += [
            f"{number(low)} – {number(high)}" for low, high in zip(counted.edges, counted.edges[1:], strict=False)
        ]
        names += [f"> {number(counted.edges[-1])}"]
    else:
        names = ["any value"]
    found = (Bar(label=cut(name, 40), old=float(a), new=float(b)) for name, a, b in zip(names, old, new, strict=False))
    return tuple(bar for bar in found if bar.old or bar.new)


def medians(counted: Histogram) -> tuple[float, float] | None:
    """Below which half of the training rows lie, and half of the window's; None where a bin's width cannot tell."""
    old, new = _shares(counted.reference), _shares(counted.current)
    if old is None or new is None or len(counted.edges) <= _FEW:
        return None
    before, now = (_median(np.asarray(counted.edges), part) for part in (old, new))
    return None if before is None or now is None else (before, now)


# ----------------------------------------------------------------------------------------------------------------------


def _shares(counts: Sequence[int]) -> np.ndarray | None:
    total = sum(counts)
    return np.asarray(counts, dtype=float) / total if total else None


def _domain(edges: np.ndarray) -> tuple[float, float]:
    """The training range, without tails that would leave no room for the rest."""
    low, high = edges[len(edges) // 10], edges[-1 - len(edges) // 10]
    return max(float(edges[0]), float(2 * low - high)), min(float(edges[-1]), float(2 * high - low))


def _poured(edges: np.ndarray, parts: np.ndarray, low: float, high: float) -> tuple[float, np.ndarray, float]:
    """Shares below `low`, in each of the cells, and above `high`."""
    up_to = np.cumsum(parts)[:-1]  # share of the rows at or below each edge
    lines = np.linspace(low, high, CELLS + 1)
    shares = np.interp(lines, edges, up_to)
    return float(shares[0]), np.diff(shares), float(1 - shares[-1])


def _path(spots: Sequence[tuple[int, int]], parts: np.ndarray, top: float) -> str:
    """Columns that stand on the ground; neighbours share a wall."""
    found, end = [], None
    for (start, width), part in zip(spots, parts.tolist(), strict=False):
        level = HEIGHT - round((HEIGHT - 2) * part / top) if top else HEIGHT
        found.append(
            f"V{level}h{width}" if start == end else f"{'V60' if end is not None else ''}M{start} 60V{level}h{width}"
        )
        end = start + width
    return "".join(found) + "V60"


def _end(value: float, span: float) -> str:
    return number(0.0 if abs(value) < 1e-6 * span else value)


def _median(edges: np.ndarray, parts: np.ndarray) -> float | None:
    up_to = np.cumsum(parts)
    if up_to[0] >= 0.5 or up_to[-2] < 0.5:  # beyond the edges: how far, the counts do not say
        return None
    return float(np.interp(0.5, up_to[:-1], edges))
