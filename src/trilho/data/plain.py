"""One plain pandas type for each meaning, whatever a reader or the user's function used.

Numbers become numpy numbers (whole numbers with gaps become float64 with NaN), times datetime64 in UTC without a zone,
categoricals their values, nullable and Arrow types their numpy counterparts. Text stays as pandas stores it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

# What pandas calls the content of an object column → what it becomes.
_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal")
_TIMES = ("datetime", "datetime64", "date")


def plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """The column in its plain type; unchanged where it has none (mixed types, arrays, durations)."""
    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        return plain(_uncategorized(column))
    if isinstance(kind, pd.StringDtype):
        return _from_objects(column.astype(object)) if kind.na_value is pd.NA else column
    if pd.api.types.is_datetime64_any_dtype(kind):
        times = pd.to_datetime(column, utc=True)
        return times.dt.tz_localize(None)
    if isinstance(kind, np.dtype):
        return _from_objects(column) if kind.kind == "O" else column
    if pd.api.types.is_bool_dtype(kind) and not column.isna().any():
        return column.astype(bool)
    if pd.api.types.is_numeric_dtype(kind) and not pd.api.types.is_bool_dtype(kind):
        return _from_numbers(column)
    return _from_objects(column.astype(object))


def content_of(column: pd.Series[Any]) -> str:
    """What is in a plain column: number, boolean, text, time, or pandas' own word for what trilho does not take."""
    kind = column.dtype
    if isinstance(kind, np.dtype) and kind.kind in "iuf":
        return "number"
    if isinstance(kind, np.dtype) and kind.kind in "bM":
        return "boolean" if kind.kind == "b" else "time"
    if isinstance(kind, pd.StringDtype):
        return "text"
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    return {"string": "text", "boolean": "boolean"}.get(inferred, inferred)


def _uncategorized(column: pd.Series[Any]) -> pd.Series[Any]:
    categories = column.cat.categories
    if column.isna().any() and pd.api.types.is_bool_dtype(categories.dtype):
        return column.astype(object)
    if column.isna().any() and pd.api.types.is_integer_dtype(categories.dtype):
        return column.astype("float64")
    return column.astype(categories.dtype)


def _from_numbers(column: pd.Series[Any]) -> pd.Series[Any]:
    """Nullable and Arrow numbers."""
    if column.isna().any() or not pd.api.types.is_integer_dtype(column.dtype):
        return pd.Series(column.to_numpy(dtype="float64", na_value=np.nan), name=column.name, index=column.index)
    return column.astype("uint64" if column.min() >= 0 and column.max() > np.iinfo("int64").max else "int64")


def _from_objects(column: pd.Series[Any]) -> pd.Series[Any]:
    column = column.where(column.notna(), np.nan)  # one sign for missing
    inferred = pd.api.types.infer_dtype(column, skipna=True)
    if inferred == "empty":
        return column.astype("float64")
    if inferred == "boolean" and not column.isna().any():
        return column.astype(bool)
    if inferred == "integer" and not column.isna().any():
        numbers = pd.to_numeric(column)
        return numbers.astype("float64") if numbers.dtype == object else numbers
    if inferred in _NUMBERS:
        return column.astype("float64")
    if inferred in _TIMES:
        try:
            return pd.to_datetime(column, utc=True).dt.tz_localize(None)
        except (ValueError, TypeError, OverflowError):  # a year that pandas cannot hold
            return column
    return column
