"""Answering rows: the one object that serving, scoring and the gates ask, whatever kind of model is behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from trilho.bundle.columns import canonical, columns_of, is_null, is_numeric, missing_column, same_length, words
from trilho.bundle.compiled import UNKNOWN, Compiled
from trilho.bundle.predictions import Predictions, label_array
from trilho.bundle.schema import Field, Schema
from trilho.errors import CannotPredict

if TYPE_CHECKING:
    import pandas as pd

    from trilho.bundle.native import Native

_DOUBLE = np.dtype(np.float64)
_FEW, _FEWER = 4096, 64  # numbers


class Predictor:
    """An open bundle. Safe to use from several threads.

    Args:
        runtime: "onnx" or "native".
        metadata: What metadata.json says: name, metrics, feature and label names, versions of packages.
        largest: The largest magnitude of a number that the model was seen to take.
    """

    def __init__(
        self, *, schema: Schema, engine: Compiled | Native, runtime: str, metadata: Mapping[str, Any], largest: float
    ) -> None:
        self.schema = schema
        self.runtime = runtime
        self.metadata: Mapping[str, Any] = MappingProxyType(dict(metadata))
        self.largest = largest
        self.all_numbers = all(is_numeric(field) for field in schema.fields)
        self._engine = engine
        self._compiled = engine if isinstance(engine, Compiled) else None
        self._fields = [(field.name, field, is_numeric(field)) for field in schema.fields]
        closed = [field for field in schema.fields if field.closed]
        self._closed = {field.name: frozenset(field.values) for field in closed}
        self._closed_places = [place for place, field in enumerate(schema.fields) if field.closed]
        self._nullable = np.array([field.nullable for field in schema.fields], dtype=bool)
        self._nullables = self._nullable.tolist()
        self._all_nullable = bool(self._nullable.all())
        self._largest_square = min(largest * largest, 1e300)  # finite, so that no infinite number is below it
        readable = all(
            not field.closed if is_numeric(field) else field.kind in ("category", "text") for field in schema.fields
        )
        self.coded = self._compiled is not None and readable  # whether `predict_coded` is there for it
        self.codes: Mapping[str | None, float] = self._compiled.codes if self._compiled else {}

    def predict(self, columns: Mapping[str, Any]) -> Predictions:
        """Answer rows given by column.

        Args:
            columns: Name → values, shape (n,): arrays, or lists with None for null. Columns the model does not know are
                ignored.

        Raises:
            CannotPredict: a column is missing, or a value is of the wrong kind, null where the model takes none,
                infinite, or too large; names column and row.
        """
        found: dict[str, np.ndarray] = {}
        for name, field, numeric in self._fields:
            if name not in columns:
                raise missing_column(name, list(columns))
            values = columns[name]
            plain = numeric and type(values) is np.ndarray and values.dtype is _DOUBLE and values.ndim == 1
            found[name] = values if plain else canonical(field, values)
        return self._answer(found)

    def predict_frame(self, frame: pd.DataFrame) -> Predictions:
        """As `predict`, of a pandas DataFrame."""
        return self._answer(columns_of(frame, self.schema.fields))

    def predict_matrix(self, matrix: np.ndarray) -> Predictions:
        """As `predict`, of rows of numbers in the order of the schema: the shortest way, where `all_numbers` holds.

        Args:
            matrix: Shape (n, fields), float64, NaN for null.

        Raises:
            CannotPredict: as `predict`, or the model takes more than numbers.
        """
        if not self.all_numbers or matrix.ndim != 2 or matrix.shape[1] != len(self._fields):
            raise CannotPredict(
                f"A matrix of shape {matrix.shape} does not fit the model.",
                why=f"It takes {len(self._fields)} columns: {', '.join(self.schema.names[:20])}.",
                remedy="Send the columns by name.",
            )
        if len(matrix) and not self._closed and self._takes_each(matrix):
            return self._answer_taken(matrix)
        return self._answer({name: matrix[:, place] for place, name in enumerate(self.schema.names)})

    def predict_coded(self, matrix: np.ndarray) -> Predictions | None:
        """As `predict`, of rows as the compiled model takes them: for callers who made them with `codes`.

        Args:
            matrix: Shape (n, fields), n at least 1, float64, NaN for null; a category is its number in `codes` (UNKNOWN
                where it has none), a text, which no compiled model reads, 0.

        Returns:
            None where a value is not one that the model takes: `predict` says which, and why.
        """
        compiled = self._compiled
        if compiled is None:
            return None
        if self._takes(matrix) and not self._meets_strangers(matrix):
            return compiled.answer_matrix(matrix)
        return None

    def _takes(self, matrix: np.ndarray) -> bool:
        """Is every number within bounds, and null only where the model takes one?

        Where the sum of squares is small, so is each number; that takes a fifth of the time of looking at each. NaN and
        infinities make it fail. For many numbers BLAS would wake its threads, and their sum say nothing.
        """
        if matrix.size <= _FEW:
            flat = matrix.ravel()
            if flat.dot(flat) <= self._largest_square:
                return True
        return self._takes_each(matrix)

    def _takes_each(self, matrix: np.ndarray) -> bool:
        """As `_takes`, number by number. A few are seen through before numpy has begun."""
        largest = self.largest
        if matrix.size <= _FEWER:
            for value, nullable in zip(matrix.ravel().tolist(), self._nullables * len(matrix), strict=True):
                if not (-largest <= value <= largest or (nullable and value != value)):
                    return False
            return True
        if not self._all_nullable and (np.isnan(matrix) & ~self._nullable).any():
            return False
        return not bool((np.abs(matrix) > largest).any())

    def _meets_strangers(self, matrix: np.ndarray) -> bool:
        return bool(self._closed_places and (matrix[:, self._closed_places] == UNKNOWN).any())

    def _answer(self, columns: dict[str, np.ndarray]) -> Predictions:
        if not same_length(columns):
            labels = label_array(self.schema.labels)[:0] if self.schema.labels else np.empty(0)
            shares = np.empty((0, len(self.schema.labels))) if self.schema.labels else None
            return Predictions(labels=labels, probabilities=shares)
        if self._compiled is None:
            if self.all_numbers and not self._closed:
                block = np.column_stack(list(columns.values()))
                if self._takes_each(block):
                    return self._answer_taken(block)
            self._check(columns)
            return self._native(self._engine.answer, columns)
        matrix = self._compiled.matrix(columns)
        if self._closed or not (np.abs(matrix) <= self.largest).all():
            self._check(columns)  # nulls, infinities: only now is it looked at column by column
        return self._compiled.answer_matrix(matrix)

    def _answer_taken(self, matrix: np.ndarray) -> Predictions:
        if self._compiled is not None:
            return self._compiled.answer_matrix(matrix)
        return self._native(self._engine.answer_matrix, matrix)

    def _native(self, answer: Callable[[Any], Predictions], asked: Any) -> Predictions:
        try:
            return answer(asked)
        except Exception as error:  # the user's own code, and whatever it is made of
            single = len(asked if isinstance(asked, np.ndarray) else next(iter(asked.values()))) == 1
            images = [field.name for field in self.schema.fields if field.kind == "image"]
            raise CannotPredict(
                f"The model refuses {'the row' if single else 'one of the rows'}: {type(error).__name__}: "
                f"{str(error).partition(chr(10))[0][:300]}",
                why="It runs as it was trained, with code and types of its own.",
                remedy="Send values like those it was trained on; the server's log has the whole error.",
                column=images[0] if len(images) == 1 else None,  # most likely a picture that is none
                row=0 if single else None,
                by_model=not images,  # else the caller's picture may well be none
            ) from error

    def _check(self, columns: Mapping[str, np.ndarray]) -> None:
        """Raise at the first value that the model does not take."""
        for name, field, numeric in self._fields:
            values = columns[name]
            if not numeric or not (np.abs(values) <= self.largest).all():
                self._check_each(field, values, numeric)
            if name in self._closed:
                self._check_closed(field, words(field, values))

    def _check_each(self, field: Field, values: np.ndarray, numeric: bool) -> None:
        null = is_null(values) if numeric or not field.nullable else np.zeros(0, dtype=bool)
        if not field.nullable and null.any():
            raise _refused(field, int(null.argmax()), "null", "the model takes no missing values here", "a value")
        if numeric:
            large = ~null & ~(np.abs(values) <= self.largest)
            if large.any():
                row = int(large.argmax())
                why = "it is infinite" if np.isinf(values[row]) else f"it is beyond ±{self.largest:g}"
                raise _refused(field, row, f"{values[row]:g}", why, "a finite number")

    def _check_closed(self, field: Field, values: np.ndarray) -> None:
        known = self._closed[field.name]
        for row, value in enumerate(values):
            if value is not None and value not in known:
                why = "the training data had no such value, and the model has no answer for unknown ones"
                more = ", …" if len(field.values) > 10 else ""
                raise _refused(field, row, repr(value), why, f"one of: {', '.join(field.values[:10])}{more}")


# ----------------------------------------------------------------------------------------------------------------------


def _refused(field: Field, row: int, value: str, why: str, wanted: str) -> CannotPredict:
    return CannotPredict(
        f"Column '{field.name}', row {row}: {value} cannot be predicted: {why}.",
        remedy=f"Send {wanted}.",
        column=field.name,
        row=row,
    )
