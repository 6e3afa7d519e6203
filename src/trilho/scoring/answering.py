"""A piece of a table → the columns that scoring adds to it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from trilho.bundle import Predictions, Predictor, Schema
from trilho.journal.buffers import array_of
from trilho.scoring.columns import coded_columns, columns_of

PREDICTION, PROBABILITY = "prediction", "probability_"
BLOCK = 8_192  # rows that go through the model at once: their matrix stays in the cache


def answered(predictor: Predictor, batch: pa.RecordBatch, added: pa.Schema, *, text: bool) -> pa.RecordBatch:
    """Predictions for the rows of a batch: the columns of `added`, which is `added_schema(predictor)`.

    Raises:
        CannotPredict: a column is missing, or a value does not fit the model; names column and row, counted in the
            batch.
    """
    return pa.RecordBatch.from_arrays(_arrays(_predictions(predictor, batch, text=text)), schema=added)


def added_schema(predictor: Predictor) -> pa.Schema:
    """Names and types of the new columns: the prediction, and a probability for each label, by its name."""
    columns = _arrays(predictor.predict({name: [] for name in predictor.schema.names}))
    names = [PREDICTION, *(f"{PROBABILITY}{name}" for name in _label_names(predictor.schema))]
    return pa.schema([pa.field(name, column.type) for name, column in zip(names, columns, strict=False)])


# ----------------------------------------------------------------------------------------------------------------------


def _label_names(schema: Schema) -> tuple[str, ...]:
    """Words for the labels; the labels themselves where two have the same words."""
    if len(set(schema.label_names)) == len(schema.labels):
        return schema.label_names
    return tuple(str(label) for label in schema.labels)


def _predictions(predictor: Predictor, batch: pa.RecordBatch, *, text: bool) -> Predictions:
    if predictor.coded and batch.num_rows:
        columns = coded_columns(batch, predictor.schema, predictor.codes, text=text)
        pieces = []
        for start in range(0, batch.num_rows, BLOCK):
            piece = predictor.predict_coded(_matrix(columns, start, min(BLOCK, batch.num_rows - start)))
            if piece is None:
                break  # `predict` says which value it is, and why
            pieces.append(piece)
        else:
            return _joined(pieces)
    return predictor.predict(columns_of(batch, predictor.schema, text=text))


def _matrix(columns: Sequence[np.ndarray], start: int, rows: int) -> np.ndarray:
    matrix = np.empty((rows, len(columns)))
    for place, values in enumerate(columns):
        matrix[:, place] = values[start : start + rows]
    return matrix


def _joined(pieces: Sequence[Predictions]) -> Predictions:
    if len(pieces) == 1:
        return pieces[0]
    shares = [piece.probabilities for piece in pieces if piece.probabilities is not None]
    return Predictions(
        labels=np.concatenate([piece.labels for piece in pieces]),
        probabilities=np.concatenate(shares) if shares else None,
    )


def _arrays(predictions: Predictions) -> list[pa.Array]:
    shares = predictions.probabilities
    # Column by column in memory: a column of a matrix of rows is none.
    columns = [] if shares is None else list(np.ascontiguousarray(shares.T))
    return [array_of(predictions.labels), *(array_of(column) for column in columns)]
