"""From the arrays a caller has to the one form that models, profiles and checks read.

Canonical, by kind: number and boolean are float64 with NaN for null (true is 1.0); category and text are object arrays
of str with None for null; time is datetime64[ns] with NaT for null; image is left as it is. A category whose training
column held numbers is canonical as float64 too: its encoder compares numbers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trilho.bundle.schema import Field
from trilho.errors import CannotPredict

if TYPE_CHECKING:
    import pandas as pd

_NUMERIC_DTYPES = ("int", "uint", "float", "bool", "Int", "UInt", "Float", "boolean")
_EARLIEST, _LATEST = np.datetime64("1677-09-22T00:00:00", "us"), np.datetime64("2262-04-11T00:00:00", "us")  # in ns
_WORDS = {"true": 1.0, "false": 0.0}


def is_numeric(field: Field) -> bool:
    """Is the canonical form of this column float64?"""
    if field.kind in ("number", "boolean"):
        return True
    return field.kind == "category" and field.dtype.removeprefix("category:").startswith(_NUMERIC_DTYPES)


def canonical(field: Field, values: Any) -> np.ndarray:
    """One column in canonical form. Shape (n,) in and out; values that are canonical already are not copied.

    Raises:
        CannotPredict: a value cannot be read as the column's kind; names column, row and value.
    """
    array = values if isinstance(values, np.ndarray) else _array(values, numeric=is_numeric(field))
    if array.ndim != 1:
        raise CannotPredict(
            f"Column '{field.name}' has {array.ndim} dimensions; one value a row is expected.",
            remedy=f"Send '{field.name}' as a flat list.",
            column=field.name,
        )
    if is_numeric(field):
        return array if array.dtype == np.float64 else _numbers(field, array)
    if field.kind in ("category", "text"):
        return _strings(array)
    return _times(field, array) if field.kind == "time" else array


def columns_of(frame: pd.DataFrame, fields: Sequence[Field]) -> dict[str, np.ndarray]:
    """The columns of a frame in canonical form, whatever pandas keeps them in.

    Raises:
        CannotPredict: a column is missing, or holds a value that its kind cannot be read from.
    """
    found: dict[str, np.ndarray] = {}
    for field in fields:
        if field.name not in frame.columns:
            raise missing_column(field.name, [str(name) for name in frame.columns])
        series = frame[field.name]
        found[field.name] = canonical(field, _values(series, field))
    return found


def missing_column(name: str, given: Sequence[str]) -> CannotPredict:
    """The error for a column that is not there, with the names that are."""
    shown = ", ".join(given[:20]) + (", …" if len(given) > 20 else "")
    return CannotPredict(
        f"Column '{name}' is missing.",
        why=f"Given were: {shown or 'no columns'}.",
        remedy=f"Send '{name}' with every row; null where the value is unknown and the column allows it.",
        column=name,
    )


def same_length(columns: Mapping[str, np.ndarray]) -> int:
    """The number of rows, which all columns must share."""
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        first, *_ = lengths
        other = next(name for name in lengths if lengths[name] != lengths[first])
        raise CannotPredict(
            f"Column '{other}' has {lengths[other]} rows, column '{first}' has {lengths[first]}.",
            remedy="Send as many values in every column.",
            column=min(first, other, key=lambda name: lengths[name]),
            row=min(lengths[first], lengths[other]),  # the first without a value in every column
        )
    return next(iter(lengths.values()), 0)


def is_null(values: np.ndarray) -> np.ndarray:
    """Where a canonical column has no value. Boolean, shape (n,)."""
    if values.dtype == np.float64:
        return np.asarray(np.isnan(values))
    if values.dtype.kind == "M":
        return np.asarray(np.isnat(values))
    return np.fromiter((value is None for value in values), dtype=bool, count=len(values))


def words(field: Field, values: np.ndarray) -> np.ndarray:
    """A canonical category or boolean column as str and None: what is shown and counted. Shape (n,), objects."""
    if values.dtype != np.float64:
        return values
    names = {0.0: "false", 1.0: "true"} if field.kind == "boolean" else {}
    return np.array([_word(value, names) for value in values.tolist()], dtype=object)


# ----------------------------------------------------------------------------------------------------------------------


def _array(values: Any, *, numeric: bool) -> np.ndarray:
    """A list as an array. Only numbers may be given a common type: numpy would turn 1 beside "a" into "1"."""
    if numeric:
        try:
            array = np.asarray(values)
        except ValueError:  # rows of different lengths
            array = np.empty(0, dtype=object)
        if array.dtype.kind in "iufb":
            return array
    array = np.empty(len(values), dtype=object)
    for row, value in enumerate(values):  # one by one: a list of images would be taken for a table
        array[row] = value
    return array


def _values(series: pd.Series[Any], field: Field) -> np.ndarray:
    """A pandas column as a plain array, its nulls as None where it holds objects."""
    dtype = series.dtype
    if (isinstance(dtype, np.dtype) and dtype.kind in "iufb") or field.kind == "image":
        return series.to_numpy()
    if field.kind == "time" and getattr(dtype, "kind", "") == "M":
        aware = getattr(dtype, "tz", None) is not None
        plain = series.dt.tz_convert("UTC").dt.tz_localize(None) if aware else series
        return plain.to_numpy(dtype="datetime64[ns]")
    return np.asarray(series.astype(object).where(series.notna(), None), dtype=object)


def _word(value: float, names: Mapping[float, str]) -> str | None:
    if value != value:
        return None
    return names.get(value) or (str(int(value)) if value.is_integer() else f"{value:g}")


def _numbers(field: Field, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind in "iufb":
        return array.astype(np.float64)
    return np.fromiter((_number(field, row, value) for row, value in enumerate(array)), np.float64, len(array))


def _number(field: Field, row: int, value: Any) -> float:
    if value is None or value != value:  # only NaN and NaT differ from themselves
        return float("nan")
    if isinstance(value, str | bytes):
        word = str(value).strip().lower()
        if field.kind == "boolean" and word in _WORDS:
            return _WORDS[word]
        if field.kind == "category":
            try:
                return float(word)
            except ValueError:
                pass
        raise _wrong(field, row, value)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise _wrong(field, row, value) from error


def _strings(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "O" and all(type(value) is str or value is None for value in array):
        return array
    return np.array([_string(value) for value in array.tolist()], dtype=object)


def _string(value: Any) -> str | None:
    """A category as the training data wrote it: a client that sends 3 or 3.0 means the category "3"."""
    if value is None or (not isinstance(value, str) and value != value):
        return None
    if isinstance(value, str):
        return str(value)
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, float | np.floating) and float(value).is_integer():
        return str(int(value))
    return str(value)


def _times(field: Field, array: np.ndarray) -> np.ndarray:
    if array.dtype.kind == "M":
        whole = array.astype("datetime64[us]")  # numpy turns what nanoseconds cannot hold into another century
        outside = (whole < _EARLIEST) | (whole > _LATEST)
        if outside.any():
            row = int(outside.argmax())
            raise _wrong(field, row, array[row])
        return array.astype("datetime64[ns]")
    return np.array([_time(field, row, value) for row, value in enumerate(array)], dtype="datetime64[ns]")


def _time(field: Field, row: int, value: Any) -> np.datetime64:
    from datetime import UTC, datetime

    if value is None or value != value:
        return np.datetime64("NaT", "ns")
    try:
        if isinstance(value, bool | np.bool_):
            raise _wrong(field, row, value)
        if isinstance(value, int | float | np.number):
            return np.datetime64(round(float(value) * 1e9), "ns")
        if isinstance(value, str):
            value = datetime.fromisoformat(value)
        if isinstance(value, datetime) and value.tzinfo is not None:
            value = value.astimezone(UTC).replace(tzinfo=None)
        found = np.datetime64(value, "us")
        if not _EARLIEST <= found <= _LATEST:
            raise _wrong(field, row, value)
        return np.datetime64(value, "ns")
    except (TypeError, ValueError, OverflowError) as error:
        raise _wrong(field, row, value) from error


def _wrong(field: Field, row: int, value: Any) -> CannotPredict:
    wanted = {"number": "a number", "boolean": "true or false", "time": "a time"}.get(field.kind, "a number")
    shown = repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "…"
    example = {"boolean": "true", "time": '"2026-01-31T12:00:00"'}.get(field.kind, "1.5")
    return CannotPredict(
        f"Column '{field.name}', row {row}: {shown} is not {wanted}.",
        remedy=f"Send {wanted} such as {example}, or null where the column allows it.",
        column=field.name,
        row=row,
    )
