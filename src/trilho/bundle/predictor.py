"""Answering rows: the one object that serving, scoring and the gates ask, whatever kind of model is behind it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from trilho.bundle.columns import canonical, columns_of, is_null, is_numeric, missing_column, same_length
from trilho.bundle.schema import Field, Label, Schema
from trilho.errors import CannotPredict

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, kw_only=True)
class Predictions:
    """Answers for n rows.

    Args:
        labels: Shape (n,): labels in the target's own type (int64, bool, float64, or str in an object array); the
            predicted numbers (float64) for regression.
        probabilities: Shape (n, k), one column per label in the order of the schema, rows sum to 1; None for
            regression and for classifiers without probabilities.
    """

    labels: np.ndarray
    probabilities: np.ndarray | None = None


class Engine(Protocol):
    """A model that answers. Compiled (onnxruntime) and native (scikit-learn) ones exist."""

    def answer(self, columns: Mapping[str, np.ndarray]) -> Predictions:
        """Answers for canonical columns without refused values."""


class Predictor:
    """An open bundle. Safe to use from several threads.

    Args:
        runtime: "onnx" or "native".
        metadata: What metadata.json says: name, metrics, feature and label names, versions of packages.
        largest: The largest magnitude of a number that the model was seen to take.
    """

    def __init__(
        self, *, schema: Schema, engine: Engine, runtime: str, metadata: Mapping[str, Any], largest: float
    ) -> None:
        self.schema = schema
        self.runtime = runtime
        self.metadata: Mapping[str, Any] = MappingProxyType(dict(metadata))
        self.largest = largest
        self._engine = engine
        self._closed = {field.name: frozenset(field.values) for field in schema.fields if field.closed}

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
        for field in self.schema.fields:
            if field.name not in columns:
                raise missing_column(field.name, list(columns))
            found[field.name] = canonical(field, columns[field.name])
        return self._answer(found)

    def predict_frame(self, frame: pd.DataFrame) -> Predictions:
        """As `predict`, of a pandas DataFrame."""
        return self._answer(columns_of(frame, self.schema.fields))

    def _answer(self, columns: dict[str, np.ndarray]) -> Predictions:
        rows = same_length(columns)
        for field in self.schema.fields:
            self._check(field, columns[field.name])
        return self._engine.answer(columns) if rows else self._nothing()

    def _check(self, field: Field, values: np.ndarray) -> None:
        if is_numeric(field) and (np.abs(values) <= self.largest).all():
            return  # neither null nor too large: nearly every request
        if not field.nullable or is_numeric(field):
            null = is_null(values)
            if not field.nullable and null.any():
                raise refused(field, int(null.argmax()), "null", "the model takes no missing values here", "a value")
            if is_numeric(field):
                large = ~null & ~(np.abs(values) <= self.largest)
                if large.any():
                    row = int(large.argmax())
                    why = "infinite" if np.isinf(values[row]) else f"beyond ±{self.largest:g}"
                    raise refused(field, row, f"{values[row]:g}", f"it is {why}", "a finite number")
        if field.name in self._closed and not is_numeric(field):
            for row, value in enumerate(values):
                if value is not None and value not in self._closed[field.name]:
                    shown = ", ".join(field.values[:10])
                    why = "the training data had no such value, and the model knows none for unknown ones"
                    raise refused(field, row, repr(value), why, f"one of: {shown}")

    def _nothing(self) -> Predictions:
        labels = label_array(self.schema.labels)[:0] if self.schema.labels else np.empty(0)
        return Predictions(
            labels=labels, probabilities=np.empty((0, len(self.schema.labels))) if self.schema.labels else None
        )


def label_array(labels: Sequence[Label]) -> np.ndarray:
    """The labels as an array of their own type, to be indexed. Shape (k,)."""
    if any(isinstance(label, str) for label in labels):
        return np.array(list(labels), dtype=object)
    return np.array(list(labels))


def refused(field: Field, row: int, value: str, why: str, wanted: str) -> CannotPredict:
    """The error for one value that the model does not take."""
    return CannotPredict(
        f"Column '{field.name}', row {row}: {value} cannot be predicted: {why}.", remedy=f"Send {wanted}."
    )
