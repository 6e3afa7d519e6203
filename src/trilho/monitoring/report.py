"""What monitoring found in a window."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class ColumnDrift:
    """One column, or the prediction.

    Args:
        index: Population stability index against the training rows; no unit, 0 is equal.
        required: What the index must exceed to count as moved: 0.2, or what chance alone does to so few rows.
    """

    name: str
    index: float
    required: float

    @property
    def moved(self) -> bool:
        """Is the index above what is required?"""
        return self.index > self.required


@dataclass(frozen=True, kw_only=True)
class Report:
    """A version's answers in a window, against what it was trained on.

    Args:
        since, until: Seconds since 1970, UTC.
        rows: Answered by this version in the window.
        other_rows: Answered by others; they are looked at in no other place of this report.
        columns: Features, the most moved first; () where there are too few rows to say anything.
        predicted: The same of the answers: labels, and scores where there are.
        share, min_rows: The settings that decide.
    """

    model: str
    version: str
    since: float
    until: float
    rows: int
    other_rows: int
    columns: tuple[ColumnDrift, ...]
    predicted: tuple[ColumnDrift, ...]
    share: float
    min_rows: int

    @property
    def enough(self) -> bool:
        """Are there rows enough for a verdict?"""
        return self.rows >= self.min_rows

    @property
    def moved(self) -> tuple[ColumnDrift, ...]:
        """The features that did."""
        return tuple(column for column in self.columns if column.moved)

    @property
    def drift(self) -> bool:
        """Did at least `share` of the columns move?"""
        return bool(self.moved) and len(self.moved) >= self.share * len(self.columns)
