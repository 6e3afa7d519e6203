"""Values counted as a drift profile counts them."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from trilho import bundle
from trilho.bundle import CategoryCounts, Field, NumberCounts, Schema
from trilho.bundle.drift_profile import count_column

NUMBER = Schema(task="regression", target="y", fields=(Field(name="x", kind="number", nullable=True),))


def numbers(reference: Any, *others: Any) -> list[NumberCounts]:
    """The profile of the reference, and others at its edges."""
    made = bundle.profile({"x": np.asarray(reference, dtype=np.float64)}, NUMBER).columns[0]
    found = [made, *(count_column(made, np.asarray(other, dtype=np.float64)) for other in others)]
    return [column for column in found if isinstance(column, NumberCounts)]


def pair(old: list[int], new: list[int], **more: Any) -> tuple[NumberCounts, NumberCounts]:
    """Two columns with these counts between 0, 1, 2, …"""
    edges = tuple(float(place) for place in range(len(old) - 1))
    return NumberCounts(name="x", edges=edges, counts=tuple(old)), NumberCounts(
        name="x", edges=edges, counts=tuple(new), **more
    )


def categories(
    old: list[int], new: list[int], *, others: tuple[int, int] = (0, 0), missing: tuple[int, int] = (0, 0)
) -> tuple[CategoryCounts, CategoryCounts]:
    """Two columns with these counts of the categories 0, 1, 2, …"""
    values = tuple(str(place) for place in range(len(old)))
    return (
        CategoryCounts(name="c", values=values, counts=tuple(old), other=others[0], missing=missing[0]),
        CategoryCounts(name="c", values=values, counts=tuple(new), other=others[1], missing=missing[1]),
    )


COUNT = st.integers(0, 5000)


@st.composite
def two_counts(draw: st.DrawFn, least: int = 2) -> tuple[list[int], list[int]]:
    """Counts of two samples in the same bins."""
    old = draw(st.lists(COUNT, min_size=least, max_size=40))
    return old, draw(st.lists(COUNT, min_size=len(old), max_size=len(old)))
