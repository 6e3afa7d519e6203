"""From a piece of an Arrow table to the canonical columns of a model."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trilho.bundle import Field, Schema
from trilho.bundle.columns import canonical, is_numeric
from trilho.data.missing_words import MISSING_WORDS
from trilho.errors import CannotPredict

_MISSING = pa.array(sorted(MISSING_WORDS))
_BOOLEANS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}


def columns_of(batch: pa.RecordBatch, schema: Schema, *, text: bool) -> dict[str, np.ndarray]:
    """The model's columns (`bundle.columns`) of a record batch.

    Args:
        text: The values are those of a text file: words for a missing value are none, "1.5" is a number, and booleans
            may also be yes and no.

    Raises:
        CannotPredict: a column is missing, or a value is not of its kind; names column and row, counted in the batch.
    """
    found = {}
    for field in schema.fields:
        if field.name not in batch.schema.names:
            given = batch.schema.names
            raise CannotPredict(
                f"Column '{field.name}' is missing.",
                why=f"The columns are: {', '.join(given[:20])}{', …' if len(given) > 20 else ''}.",
                remedy=f"Add '{field.name}'; empty where its value is unknown and the model takes that.",
                column=field.name,
            )
        column = batch.column(field.name)
        found[field.name] = _from_text(field, column) if text else _from_values(field, column)
    return found


# ----------------------------------------------------------------------------------------------------------------------


def _from_values(field: Field, column: pa.Array) -> np.ndarray:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return canonical(field, column.to_numpy(zero_copy_only=False))


def _from_text(field: Field, column: pa.Array) -> np.ndarray:
    known = pc.if_else(pc.is_in(column, _MISSING), pa.scalar(None, pa.string()), column)
    if not is_numeric(field):
        return canonical(field, known.to_numpy(zero_copy_only=False))
    try:
        numbers = pc.cast(known, pa.float64())
    except pa.ArrowInvalid:  # not the plain spelling of a number, or none at all: one by one
        words = known.to_pylist()
        return np.fromiter((_number(field, row, word) for row, word in enumerate(words)), np.float64, len(words))
    values: np.ndarray = numbers.to_numpy(zero_copy_only=False)
    return values


def _number(field: Field, row: int, word: str | None) -> float:
    if word is None:
        return float("nan")
    plain = word.strip().lower()
    if field.kind == "boolean" and plain in _BOOLEANS:
        return _BOOLEANS[plain]
    try:
        if "_" in plain:
            raise ValueError(plain)  # Python reads 1_000 as a number; nobody else does
        return float(plain)
    except ValueError as error:
        wanted = "true or false" if field.kind == "boolean" else "a number"
        raise CannotPredict(
            f"Column '{field.name}', row {row}: {word[:60]!r} is not {wanted}.",
            remedy=f"Write {wanted}, or leave it empty where its value is unknown and the model takes that.",
            column=field.name,
            row=row,
        ) from error
