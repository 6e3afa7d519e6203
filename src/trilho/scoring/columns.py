"""From a piece of an Arrow table to what a model reads: canonical columns, or a compiled one's matrix by column.

`to_numpy` and `pyarrow.scalar` import pandas, which takes longer than many a file: where numbers are numbers, and words
are categories, neither is used.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trilho.bundle import Field, Schema
from trilho.bundle.columns import canonical, is_numeric
from trilho.bundle.compiled import UNKNOWN
from trilho.bundle.from_arrow import doubles
from trilho.data.missing_words import MISSING_WORDS
from trilho.errors import CannotPredict
from trilho.journal.buffers import texts

_BOOLEANS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}

Codes = Mapping[str | None, float]


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
        column = _column(batch, field)
        found[field.name] = _numbers(field, column, text=text) if is_numeric(field) else _words(field, column, text)
    return found


def coded_columns(batch: pa.RecordBatch, schema: Schema, codes: Codes, *, text: bool) -> list[np.ndarray]:
    """The columns of the matrix that a compiled model reads (`Predictor.predict_coded`), in the order of the schema.

    Each different category is looked up once, not once a row.

    Args:
        codes: Category → the number that stands for it, None → NaN.

    Raises:
        CannotPredict: as `columns_of`.
    """
    found = []
    for field in schema.fields:
        column = _column(batch, field)
        if is_numeric(field):
            found.append(_numbers(field, column, text=text))
        elif field.kind == "category":
            found.append(_codes(field, column, codes, text))
        else:
            found.append(np.zeros(batch.num_rows))  # text, which no compiled model reads
    return found


# ----------------------------------------------------------------------------------------------------------------------


def _column(batch: pa.RecordBatch, field: Field) -> pa.Array:
    names = batch.schema.names
    if field.name not in names:
        raise CannotPredict(
            f"Column '{field.name}' is missing.",
            why=f"The columns are: {', '.join(names[:20])}{', …' if len(names) > 20 else ''}.",
            remedy=f"Add '{field.name}'; empty where its value is unknown and the model takes that.",
            column=field.name,
        )
    return batch.column(field.name)


def _numbers(field: Field, column: pa.Array, *, text: bool) -> np.ndarray:
    """A column as float64, NaN for null; without nulls, a double column is not copied."""
    if text:
        return _numbers_in_text(field, column)
    kind = column.type
    if pa.types.is_boolean(kind):
        column, kind = pc.cast(column, pa.uint8()), pa.uint8()
    if pa.types.is_integer(kind) or pa.types.is_floating(kind):
        return doubles(pc.cast(column, pa.float64(), safe=False))
    return canonical(field, _plain(column))


def _words(field: Field, column: pa.Array, text: bool) -> np.ndarray:
    return canonical(field, _plain(_without_missing(column) if text else column))


def _codes(field: Field, column: pa.Array, codes: Codes, text: bool) -> np.ndarray:
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    values = _without_missing(encoded.dictionary) if text else encoded.dictionary
    numbers = [codes.get(value, UNKNOWN) for value in canonical(field, values.to_pylist())]
    places = doubles(pc.cast(encoded.indices, pa.float64()))
    null = np.isnan(places)
    return np.array([*numbers, np.nan])[np.where(null, len(numbers), places).astype(np.intp)]


def _without_missing(column: pa.Array) -> pa.Array:
    return pc.if_else(pc.is_in(column, _missing_words()), pa.nulls(len(column), pa.string()), column)


def _plain(column: pa.Array) -> np.ndarray:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    values: np.ndarray = column.to_numpy(zero_copy_only=False)
    return values


def _numbers_in_text(field: Field, column: pa.Array) -> np.ndarray:
    try:
        numbers = pc.cast(column, pa.float64())
    except pa.ArrowInvalid:  # a word for a missing value, perhaps
        known = _without_missing(column)
        try:
            numbers = pc.cast(known, pa.float64())
        except pa.ArrowInvalid:  # not the plain spelling of a number, or none at all: one by one
            words = known.to_pylist()
            return np.fromiter((_number(field, row, word) for row, word in enumerate(words)), np.float64, len(words))
    return doubles(numbers)


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


@lru_cache(maxsize=1)
def _missing_words() -> Any:
    return texts(sorted(MISSING_WORDS))
