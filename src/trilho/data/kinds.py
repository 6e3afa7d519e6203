"""What each column is: number, category, boolean, text or time (an image only where the user says so)."""

from __future__ import annotations

from typing import Any

import pandas as pd

from trilho.data.dataset import Column, Kind
from trilho.data.plain import content_of, plain
from trilho.data.words import Words, words_of

MOST_VALUES = 10_000  # categories that a Column lists
FEW_VALUES = 20  # text with at most this many different values is a category, however few the rows
TEXT_SHARE = 0.5  # more different values than this share of the rows: text


def kinds_of(frame: pd.DataFrame) -> dict[str, Kind | None]:
    """The kind of each column, inferred from its values.

    Numbers are numbers, 0 and 1 too. True and false are boolean, and so are columns of exactly the words true/false or
    yes/no. Dates and times are time, and so is text where every value is ISO 8601 with a date. Other text is a
    category, digits in quotes too ("01234" is no number), unless it has more than 20 different values, and more of them
    than half of the rows: then it is text. A pandas categorical is always a category. A column without any value is a
    number.

    Returns:
        Column → kind; None for what trilho cannot take: numbers mixed with words, durations, arrays, other objects.
    """
    return {str(name): kind_of(frame.iloc[:, place]) for place, name in enumerate(frame.columns)}


def kind_of(column: pd.Series[Any], words: Words | None = None) -> Kind | None:
    """The kind of one column; `words` where they are counted already."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return "category"
    column = plain(column)
    content = content_of(column)
    if content in ("number", "boolean", "time"):
        return content  # type: ignore[return-value]
    if content != "text":
        return None
    words = words or words_of(column)
    if words.mixed:
        return None
    if words.are_booleans:
        return "boolean"
    if words.are_times:
        return "time"
    return "text" if words.distinct > max(FEW_VALUES, TEXT_SHARE * words.rows) else "category"


def describe(column: pd.Series[Any], kind: Kind) -> Column:
    """The Column of a converted column: whether values are missing, and which categories there are."""
    values: tuple[str, ...] = ()
    if kind in ("category", "boolean"):
        counts = column.value_counts()  # most frequent first, so that the cut keeps those that matter
        seen = counts.index[:MOST_VALUES]
        values = tuple(sorted(str(bool(value)).lower() if kind == "boolean" else str(value) for value in seen))
    return Column(name=str(column.name), kind=kind, nullable=bool(column.isna().any()), values=values)
