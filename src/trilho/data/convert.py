"""A column made to be of a kind, with the rows that cannot be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trilho.data.dataset import Kind
from trilho.data.plain import content_of, plain
from trilho.data.words import BOOLEAN_WORDS, parsed_times


def converted(column: pd.Series[Any], kind: Kind) -> tuple[pd.Series[Any], np.ndarray[Any, Any]]:
    """The column as `kind`: float or whole numbers, text for category and text, bool, datetime64 in UTC.

    Args:
        column: Any column.
        kind: What it shall be; for image it stays as it is.

    Returns:
        The converted column, and for each row whether its value could not be converted (missing stays missing).
    """
    if kind == "image":
        return column, np.zeros(len(column), dtype=bool)
    column = plain(column)
    made = {"number": _numbers, "boolean": _booleans, "time": _times}.get(kind, _texts)(column)
    return made, (made.isna() & column.notna()).to_numpy()


def _numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    content = content_of(column)
    if content == "number":
        return column
    if content == "boolean":
        return column.astype("float64") if column.isna().any() else column.astype("int64")
    if content == "time":
        return pd.Series(np.nan, index=column.index, name=column.name)
    return pd.to_numeric(column.astype(object), errors="coerce")


def _booleans(column: pd.Series[Any]) -> pd.Series[Any]:
    if content_of(column) == "boolean":
        return column
    meanings: dict[Any, bool] = {}
    for value in column.dropna().unique():
        word = str(value).strip().lower()
        if word in BOOLEAN_WORDS:
            meanings[value] = BOOLEAN_WORDS[word]
        elif isinstance(value, (int, float, np.number)) and value in (0, 1):
            meanings[value] = bool(value)
    made = column.astype(object).map(meanings)
    return made if made.isna().any() else made.astype(bool)


def _times(column: pd.Series[Any]) -> pd.Series[Any]:
    content = content_of(column)
    if content == "time":
        return column
    if content == "text":
        return parsed_times(column)
    return pd.Series(pd.NaT, index=column.index, name=column.name)


def _texts(column: pd.Series[Any]) -> pd.Series[Any]:
    content = content_of(column)
    if content == "text":
        return column
    if content == "boolean":
        return column.astype(object).map({True: "true", False: "false"})
    if content == "number" and column.dtype.kind == "f" and (column.dropna() % 1 == 0).all():
        # "3", as it was before a missing value made it 3.0.
        return column.astype(object).map(lambda number: f"{number:.0f}", na_action="ignore")
    return column.astype(object).map(str, na_action="ignore")
