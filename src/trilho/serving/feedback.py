"""True labels as they come in, over HTTP or in a file, checked against the model's labels.

{"id": "0f3a…-0", "label": "benign"}      or a list of such; a label by its value or its name
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import msgspec

from trilho.bundle import Schema
from trilho.errors import BadFeedback
from trilho.journal import Label, TrueLabel

_EXAMPLE = 'Send {"id": "ID OF THE PREDICTION", "label": LABEL}, or a list of such.'
_SHOWN = 20  # labels named in an error


def read_feedback(body: bytes, schema: Schema, *, now: float) -> list[TrueLabel]:
    """The labels of a request's body: all of them, or an error.

    Args:
        schema: Of the model in charge. A label that it does not have is refused, also for a prediction of another
            version: which version a prediction is of is not looked up.
        now: When they came, seconds since 1970, UTC.

    Raises:
        BadFeedback: names the first item that cannot be, from 0.
    """
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadFeedback(f"The body is not JSON: {error}.", remedy=_EXAMPLE) from error
    if isinstance(found, dict):
        return [_one(found, schema, now, row=None)]
    if not isinstance(found, list):
        raise BadFeedback("The body is neither an object nor a list of objects.", remedy=_EXAMPLE)
    return [_one(item, schema, now, row=row) for row, item in enumerate(found)]


def read_feedback_file(path: Path, schema: Schema, *, now: float) -> tuple[list[TrueLabel], int]:
    """The labels of a CSV or Parquet file with columns id and label, and how many of its rows have none yet.

    Raises:
        BadFeedback: the file is not such a table, or names a label that the model does not have; names the row, from 0.
    """
    from pyarrow import ArrowException, csv, parquet

    try:
        if path.suffix == ".parquet":
            table = parquet.read_table(path, columns=["id", "label"])
        else:
            words = csv.ConvertOptions(
                include_columns=["id", "label"],
                column_types={"id": "string", "label": "string"},
                strings_can_be_null=True,
                null_values=[""],
            )
            table = csv.read_csv(path, convert_options=words)
        ids, labels = (table.column(name).to_pylist() for name in ("id", "label"))
    except (OSError, ArrowException, KeyError) as error:
        raise BadFeedback(
            f"{path} cannot be read as labels: {error}.",
            state="No label was taken.",
            remedy="Give a .csv or .parquet file with the columns id (of the prediction) and label.",
        ) from error
    pairs = zip(ids, labels, strict=True)
    items = [(row, {"id": name, "label": value}) for row, (name, value) in enumerate(pairs) if value is not None]
    return [_one(item, schema, now, row=row) for row, item in items], len(ids) - len(items)


def true_label(value: Any, schema: Schema) -> Label | None:
    """The model's own label that is meant by its value, its name, or either as text; None if it has no such label.

    For regression: the finite number that is meant.
    """
    if not schema.labels:
        number = _number(value)
        return number if number is not None and math.isfinite(number) else None
    for label in schema.labels:
        if value == label and isinstance(value, str | bool) == isinstance(label, str | bool):
            return label
    if not isinstance(value, str):
        return None
    for label, name in zip(schema.labels, schema.label_names, strict=True):
        if value in (name, str(label)) or (isinstance(label, bool) and value.lower() == str(label).lower()):
            return label
    number = _number(value)  # a column of a table that knew no whole numbers: "1.0"
    return next((label for label in schema.labels if not isinstance(label, str | bool) and label == number), None)


# ----------------------------------------------------------------------------------------------------------------------


def _one(item: Any, schema: Schema, now: float, *, row: int | None) -> TrueLabel:
    place = "" if row is None else f"Item {row}: "
    if not isinstance(item, dict) or not {"id", "label"} <= item.keys():
        missing = " and ".join(name for name in ("id", "label") if not isinstance(item, dict) or name not in item)
        raise BadFeedback(f"{place}{missing} missing.", remedy=_EXAMPLE, row=row)
    from trilho.journal.forgetting import check_id

    try:
        name = check_id(item["id"])
    except BadFeedback as error:
        raise BadFeedback(f"{place}{error.what}", remedy=error.remedy, row=row) from error
    label = true_label(item["label"], schema)
    if label is None:
        wanted = "label of the model" if schema.labels else "finite number"
        raise BadFeedback(
            f"{place}{_short(item['label'])} is no {wanted}.",
            why=_known(schema),
            remedy="Send a label by its value or its name." if schema.labels else "Send the number that was true.",
            row=row,
        )
    return TrueLabel(id=name, label=label, time=now)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None


def _known(schema: Schema) -> str:
    if not schema.labels:
        return ""
    pairs = zip(schema.labels, schema.label_names, strict=True)
    words = [repr(label) if str(label) == name else f"{label!r} ({name})" for label, name in pairs]
    more = ", …" if len(words) > _SHOWN else ""
    return f"It has: {', '.join(words[:_SHOWN])}{more}."


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
