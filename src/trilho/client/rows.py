"""Rows and true labels as people have them in Python → the JSON that /predict and /feedback take."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from trilho.errors import BadFeedback, CannotPredict

if TYPE_CHECKING:
    import pandas as pd

    Rows = Sequence[Mapping[str, Any]] | pd.DataFrame

_REMEDY = "Send a number, a text, true or false, a time, or None where the value is unknown."
_NOT_A_VALUE = ("NaTType", "NAType")  # pandas' own, which is not imported for their sake
_NUMPY_TIMES = ("datetime64", "timedelta64")


def encoded(rows: Mapping[str, Any] | Rows) -> bytes:
    """A row, a list of rows or a DataFrame as JSON.

    NaN, NaT and NA are null; numpy's scalars are numbers; dates and times ISO 8601; bytes (an image) base64.

    Raises:
        CannotPredict: it is something else, has a column twice, or holds a value that JSON cannot; names column and
            row.
    """
    if isinstance(rows, Mapping):
        return msgspec.json.encode(_row(rows, None))
    given: Any = rows
    if hasattr(given, "itertuples"):
        names = [str(name) for name in given.columns]
        _check_each_once(names, None)  # a dict would keep the last of two, and say nothing
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


def encoded_truth(id: str, label: Any) -> bytes:  # noqa: A002 - as in Client.feedback
    """The label of a prediction as JSON, with its value made plain as those of rows are.

    Raises:
        BadFeedback: the id or the label is nothing that JSON can hold.
    """
    found = {}
    for name, value in (("id", id), ("label", label)):
        try:
            found[name] = _plain(value)
        except _NotPlain as error:
            raise BadFeedback(
                f"The {name} {_shown(value)} cannot be sent: {error}.",
                state="No label was taken.",
                remedy="Send the id of a prediction, and a label of the model, its name, or a number.",
            ) from error
    return msgspec.json.encode(found)


# ----------------------------------------------------------------------------------------------------------------------


class _NotPlain(ValueError):
    """A value that JSON cannot hold; says why."""


def _row(row: Mapping[str, Any], place: int | None) -> dict[str, Any]:
    names = [str(name) for name in row]
    _check_each_once(names, place)
    found = {}
    for name, value in zip(names, row.values(), strict=True):
        try:
            found[_text(name)] = _plain(value)
        except _NotPlain as error:
            what = f"Column '{_shown(name)}', row {place or 0}: {_shown(value)} cannot be sent: {error}."
            raise CannotPredict(what, remedy=_REMEDY, column=name, row=place or 0) from error
    return found


def _check_each_once(names: Sequence[str], place: int | None) -> None:
    if len(set(names)) == len(names):
        return
    twice = next(name for name in names if names.count(name) > 1)
    raise CannotPredict(
        f"{names.count(twice)} columns have the name '{_shown(twice)}'.",
        state="Nothing was sent.",
        why="A row holds one value for each name, and which of them is meant is not known.",
        remedy="Drop or rename all but one of them.",
        column=twice,
        row=place,
    )


def _plain(value: Any) -> Any:
    """The value as JSON has it. Raises _NotPlain."""
    kind = type(value)
    if kind is str:
        return _text(value)
    if kind.__name__ in _NOT_A_VALUE:
        return None
    if kind.__name__ in _NUMPY_TIMES:
        value = value.astype(f"{kind.__name__}[us]")  # finer ones would become a bare number
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int):
        return int(value)  # of a class of its own, which msgspec does not know
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, bytes | bytearray):
        return base64.b64encode(value).decode()
    try:
        number = float(value)  # Decimal, Fraction
    except (TypeError, ValueError, OverflowError) as error:
        raise _NotPlain(f"{kind.__name__} is not a value of a column") from error
    if math.isinf(number):
        raise _NotPlain("JSON has no infinite numbers")
    return None if math.isnan(number) else number


def _text(value: str) -> str:
    try:
        value.isascii() or value.encode()
    except UnicodeEncodeError as error:
        raise _NotPlain("half a character (a lone surrogate) is no text that can be sent") from error
    return str.__str__(value)  # of a class of its own, numpy's for one, which msgspec does not know


def _shown(value: Any) -> str:
    """Its beginning, which every terminal and log can take."""
    return str(value)[:60].encode(errors="backslashreplace").decode()
