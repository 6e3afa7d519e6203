"""Rows as people have them in Python → the JSON that /predict takes."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from trilho.errors import CannotPredict

if TYPE_CHECKING:
    import pandas as pd

    Rows = Sequence[Mapping[str, Any]] | pd.DataFrame

_NOT_A_VALUE = ("NaTType", "NAType")  # pandas' own, which is not imported for their sake


def encoded(rows: Mapping[str, Any] | Rows) -> bytes:
    """A row, a list of rows or a DataFrame as JSON.

    NaN, NaT and NA are null; numpy's scalars are numbers; dates and times ISO 8601; bytes (an image) base64.

    Raises:
        CannotPredict: it is something else, or holds a value that JSON cannot; names column and row.
    """
    if isinstance(rows, Mapping):
        return msgspec.json.encode(_row(rows, None))
    given: Any = rows
    if hasattr(given, "itertuples"):
        names = [str(name) for name in given.columns]
        given = [dict(zip(names, row, strict=True)) for row in given.itertuples(index=False, name=None)]
    elif isinstance(given, str | bytes) or not isinstance(given, Sequence):
        given = [given]
    for place, row in enumerate(given):
        if not isinstance(row, Mapping):
            raise CannotPredict(
                f"Row {place} is {type(row).__name__}, not a dict of columns.",
                remedy='Give a row as {"column": value, …}, a list of such rows, or a DataFrame.',
                row=place,
            )
    return msgspec.json.encode([_row(row, place) for place, row in enumerate(given)])


# ----------------------------------------------------------------------------------------------------------------------


def _row(row: Mapping[str, Any], place: int | None) -> dict[str, Any]:
    return {str(name): _plain(value, str(name), place) for name, value in row.items()}


def _plain(value: Any, column: str, place: int | None) -> Any:
    kind = type(value)
    if value is None or kind in (str, int, bool):
        return value
    if kind.__name__ in _NOT_A_VALUE:
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if isinstance(value, float):
        if math.isinf(value):
            raise _refused(value, column, place, "JSON has no infinite numbers")
        return None if math.isnan(value) else float(value)
    if isinstance(value, str | int):
        return value
    try:
        return float(value)  # Decimal, Fraction
    except (TypeError, ValueError) as error:
        raise _refused(value, column, place, f"{kind.__name__} is not a value of a column") from error


def _refused(value: Any, column: str, place: int | None, why: str) -> CannotPredict:
    row = place or 0
    return CannotPredict(
        f"Column '{column}', row {row}: {str(value)[:60]} cannot be sent: {why}.",
        remedy="Send a number, a text, true or false, a time, or None where the value is unknown.",
        column=column,
        row=row,
    )
