"""One column as a request has it → one canonical column, or an error that names column and row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from trilho.bundle import Field
from trilho.bundle.columns import canonical, is_numeric
from trilho.errors import CannotPredict

_NUMBERS = frozenset((int, float, bool, type(None)))
_PLAIN = _NUMBERS | {str}


def column_of(field: Field, values: Sequence[Any]) -> np.ndarray:
    """The canonical column (see `bundle.columns`) of what a request says.

    As MLflow does, a number in quotes is taken for that number.

    Args:
        values: As decoded from JSON or CSV: numbers, strings, booleans, None. Length n.

    Raises:
        CannotPredict: a value is not of the column's kind; names column and row.
    """
    types = set(map(type, values))
    if not types <= _PLAIN and field.kind != "image":
        row = next(place for place, value in enumerate(values) if type(value) not in _PLAIN)
        raise _wrong(field, row, values[row])
    if is_numeric(field):
        return _numbers(field, values, types)
    plain = np.empty(len(values), dtype=object)
    plain[:] = values
    return _by_row(field, plain)


def no_such_column(name: str, given: Sequence[str]) -> CannotPredict:
    """The error for a column that no row has."""
    shown = ", ".join(given[:20]) + (", …" if len(given) > 20 else "")
    return CannotPredict(
        f"Model is missing inputs: column '{name}' is not in the request.",
        why=f"Given were: {shown or 'no columns'}.",
        remedy=f"Send '{name}' with every row; null where its value is unknown and the model takes that.",
        column=name,
    )


# ----------------------------------------------------------------------------------------------------------------------


def _numbers(field: Field, values: Sequence[Any], types: set[type]) -> np.ndarray:
    if types <= _NUMBERS:
        try:
            return np.array(values, dtype=np.float64)
        except OverflowError as error:
            row = next(place for place, value in enumerate(values) if type(value) is int and abs(value) > 2**1023)
            raise _wrong(field, row, values[row]) from error
    found = np.empty(len(values))
    for row, value in enumerate(values):
        try:
            found[row] = _number(field, value)
        except (ValueError, OverflowError) as error:
            raise _wrong(field, row, value) from error
    return found


def _number(field: Field, value: Any) -> float:
    if value is None:
        return float("nan")
    if field.kind == "boolean" and isinstance(value, str):
        return float({"true": True, "false": False}.get(value.strip().lower(), value))
    if isinstance(value, str) and "_" in value:
        raise ValueError(value)  # Python reads 1_000 as a number; nobody else does
    return float(value)


def _by_row(field: Field, values: np.ndarray) -> np.ndarray:
    try:
        return canonical(field, values)
    except CannotPredict as error:
        for row in range(len(values)):  # which one was it?
            try:
                canonical(field, values[row : row + 1])
            except CannotPredict:
                raise _wrong(field, row, values[row]) from error
        raise


def _wrong(field: Field, row: int, value: Any) -> CannotPredict:
    wanted = {"boolean": "true or false", "time": 'a time such as "2026-01-31T12:00:00"'}.get(field.kind)
    wanted = wanted or ("a number" if is_numeric(field) else "a text")
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}…"
    return CannotPredict(
        f"Column '{field.name}', row {row}: {shown} is not {wanted}.",
        remedy=f"Send {wanted}, or null where its value is unknown and the model takes that.",
        column=field.name,
        row=row,
    )
