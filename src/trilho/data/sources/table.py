"""What every reader gives back: rows, and how to say where a row stands in the source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

SHOWN_ROWS = 3  # rows named in a message; the rest are counted


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows as read, before anything is inferred or converted.

    `where` turns row numbers (from 0) into places a person can open: "line 17" of a text file, "row 16" elsewhere.
    `labels` are the names of the labels 0, 1, … of a set that brings them.
    """

    frame: pd.DataFrame
    where: Callable[[Sequence[int]], list[str]]
    labels: tuple[str, ...] = ()

    def first_of(self, flags: Any) -> str:
        """The first places where `flags` (a boolean array, one per row) holds: "line 5, line 9 and 3 more"."""
        rows = [int(row) for row in flags.nonzero()[0]]
        more = f" and {len(rows) - SHOWN_ROWS} more" if len(rows) > SHOWN_ROWS else ""
        return ", ".join(self.where(rows[:SHOWN_ROWS])) + more


def row_numbers(rows: Sequence[int]) -> list[str]:
    """Places in a table without lines, counted from 1."""
    return [f"row {row + 1}" for row in rows]
