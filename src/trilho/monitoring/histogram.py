"""Few bins to look at, made of the many that were counted."""

from __future__ import annotations

from trilho.bundle import CategoryCounts, NumberCounts
from trilho.monitoring.report import Histogram

Counts = NumberCounts | CategoryCounts

BINS = 20
LABELS = 8


def histogram(reference: Counts, current: Counts) -> Histogram:
    """Both in the same bins; rows without a value are in none.

    Numbers: about 20 bins of equally many training rows each, and one on each side of the training range. Categories:
    the 8 most frequent of the training rows, and all others.

    Example:
        >>> before = CategoryCounts(name="c", values=("a", "b"), counts=(60, 40))
        >>> now = CategoryCounts(name="c", values=("a", "b"), counts=(40, 50), other=10)
        >>> histogram(before, now)
        Histogram(reference=(60, 40, 0), current=(40, 50, 10), edges=(), labels=('a', 'b'))
    """
    if isinstance(reference, CategoryCounts) and isinstance(current, CategoryCounts):
        return _of_categories(reference, current)
    return (
        _of_numbers(reference, current) if isinstance(reference, NumberCounts) else Histogram(reference=(), current=())
    )


# ----------------------------------------------------------------------------------------------------------------------


def _of_categories(reference: CategoryCounts, current: CategoryCounts) -> Histogram:
    pairs = sorted(zip(reference.values, reference.counts, current.counts, strict=True), key=lambda pair: -pair[1])
    shown, rest = pairs[:LABELS], pairs[LABELS:]
    return Histogram(
        labels=tuple(value for value, _, _ in shown),
        reference=(*(old for _, old, _ in shown), sum(old for _, old, _ in rest) + reference.other),
        current=(*(new for _, _, new in shown), sum(new for _, _, new in rest) + current.other),
    )


def _of_numbers(reference: NumberCounts, current: Counts) -> Histogram:
    if not reference.edges:
        return Histogram(reference=(sum(reference.counts),), current=(sum(current.counts),))
    enough = sum(reference.counts) / BINS
    edges, old, new = [reference.edges[0]], [reference.counts[0]], [current.counts[0]]
    before = now = 0
    for place, edge in enumerate(reference.edges[1:], start=1):
        before += reference.counts[place]
        now += current.counts[place]
        if before >= enough or place == len(reference.edges) - 1:
            edges.append(edge)
            old.append(before)
            new.append(now)
            before = now = 0
    return Histogram(
        edges=tuple(edges),
        reference=(*old, reference.counts[-1]),
        current=(*new, current.counts[-1]),
    )
