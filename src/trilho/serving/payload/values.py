"""One column as a request has it → one canonical column, or an error that names column and row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from trilho.bundle import Field
from trilho.bundle.columns import canonical, is_numeric
from trilho.errors import CannotPredict
from trilho.serving.payload.images import image
from trilho.serving.payload.times import nanoseconds

_WORDS = frozenset((str, type(None)))
_PLAIN = frozenset((str, type(None), int, float, bool))
_BOOLEANS = {"true": True, "false": False}
_WANTED = {
    "boolean": "true or false",
    "time": 'a time such as "2026-01-31T12:00:00"',
    "image": "an image file in base64",
}


def column_of(field: Field, values: Sequence[Any] | np.ndarray) -> np.ndarray:
    """The canonical column (see `bundle.columns`) of what a request says. Shape (n,).

    As by MLflow's server, a number in quotes is taken for that number, any number but 0 for true, and a number for a
    moment in nanoseconds since 1970. A number for a category is the category that is written so.

    Args:
        values: As decoded from JSON or CSV: numbers, texts, booleans, None; bytes for an image. Or, for a column of
            numbers, float64. Length n.

    Raises:
        CannotPredict: a value is not of the column's kind; names column and row.
    """
    if is_numeric(field):
        return _booleans(field, values) if field.kind == "boolean" else _numbers(field, values)
    if field.kind == "time":
        return _each(field, values, nanoseconds, np.dtype("int64")).view("datetime64[ns]")
    if field.kind == "image":
        return _each(field, values, image, np.dtype(object))
    types = set(map(type, values))
    if not types <= _PLAIN:
        row = next(place for place, value in enumerate(values) if type(value) not in _PLAIN)
        raise _wrong(field, row, values[row])
    words = np.empty(len(values), dtype=object)
    words[:] = values
    return words if types <= _WORDS and None not in types else canonical(field, words)


# ----------------------------------------------------------------------------------------------------------------------


def _numbers(field: Field, values: Sequence[Any] | np.ndarray) -> np.ndarray:
    try:
        found = np.array(values, dtype=np.float64)  # None is NaN, "1.5" is 1.5
        if found.ndim == 1:
            return found
    except (ValueError, TypeError, OverflowError):
        pass
    return _each(field, values, _number, np.dtype("float64"))  # where is it?


def _booleans(field: Field, values: Sequence[Any] | np.ndarray) -> np.ndarray:
    if isinstance(values, np.ndarray) or set(map(type, values)) <= _PLAIN - {str}:
        found = _numbers(field, values)
    else:
        found = _each(field, values, _boolean, np.dtype("float64"))
    return np.where(np.isnan(found), np.nan, found != 0)


def _each(
    field: Field, values: Sequence[Any] | np.ndarray, convert: Callable[[Any], Any], dtype: np.dtype[Any]
) -> np.ndarray:
    found = np.empty(len(values), dtype=dtype)
    for row, value in enumerate(values):
        try:
            found[row] = convert(value)
        except (ValueError, TypeError, OverflowError) as error:
            raise _wrong(field, row, value) from error
    return found


def _number(value: Any) -> float:
    return float("nan") if value is None else float(value)


def _boolean(value: Any) -> float:
    if not isinstance(value, str):
        return _number(value)
    found = float(_BOOLEANS.get(value.strip().lower(), value))
    if found not in (0.0, 1.0) and found == found:
        raise ValueError(value)
    return found


def _wrong(field: Field, row: int, value: Any) -> CannotPredict:
    wanted = _WANTED.get(field.kind) or ("a number" if is_numeric(field) else "a text")
    shown = repr(value[:60] if isinstance(value, str | bytes | list) else value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}…"
    return CannotPredict(
        f"Column '{field.name}', row {row}: {shown} is not {wanted}.",
        remedy=f"Send {wanted}, or null where its value is unknown and the model takes that.",
        column=field.name,
        row=row,
    )
