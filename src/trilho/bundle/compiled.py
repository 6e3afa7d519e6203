"""A compiled model: one ONNX session over a matrix of doubles. Needs onnxruntime and numpy, nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from trilho.bundle.columns import is_numeric
from trilho.bundle.one_row import OneRow
from trilho.bundle.predictions import Predictions, label_array
from trilho.bundle.schema import Schema
from trilho.errors import BundleDamaged

UNKNOWN = -1.0  # stands for a category that the model does not know
_CELLS = 500_000  # of intermediate numbers at once: bounds memory, and what stays in the cache is twice as fast


class Compiled:
    """Rows are answered in one call of the session, many rows in several.

    Args:
        words: Category → the number that stands for it; `codes` is the same, with NaN for null.
        width: Columns of the widest intermediate table.

    Raises:
        BundleDamaged: onnxruntime does not take the model.
    """

    def __init__(self, model: bytes, *, schema: Schema, words: Mapping[str, float], width: int) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # two threads: same median, a 99th percentile 13 times as long
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime's own errors share no root
            raise BundleDamaged(
                "onnxruntime does not take the compiled model.",
                why=str(error).splitlines()[0][:300],
                remedy="Install the onnxruntime that the bundle names in metadata.json (packages), or a newer one.",
            ) from error
        self._numbers = [(place, field.name) for place, field in enumerate(schema.fields) if is_numeric(field)]
        self._left = [(place, field) for place, field in enumerate(schema.fields) if not is_numeric(field)]
        self.codes: Mapping[str | None, float] = dict([*words.items(), (None, float("nan"))])
        self._outputs = [output.name for output in self._session.get_outputs()]
        self._labels = label_array(schema.labels) if schema.labels else None
        self._same = all(type(label) is int and label == place for place, label in enumerate(schema.labels))
        self._rows = max(1, _CELLS // max(1, width))
        self._one = OneRow(self._session, len(schema.fields), self._outputs)

    def answer(self, columns: Mapping[str, np.ndarray]) -> Predictions:
        """Answers for canonical columns without refused values."""
        return self.answer_matrix(self.matrix(columns))

    def matrix(self, columns: Mapping[str, np.ndarray]) -> np.ndarray:
        """Canonical columns as the graph's input. Shape (n, fields), float64, categories as their numbers."""
        rows = len(next(iter(columns.values())))
        matrix = np.empty((rows, len(columns)))
        for place, name in self._numbers:
            matrix[:, place] = columns[name]
        for place, field in self._left:
            # Text, time and images may be in the data; a compiled model does not read them.
            matrix[:, place] = self._codes(columns[field.name]) if field.kind == "category" else 0.0
        return matrix

    def answer_matrix(self, matrix: np.ndarray) -> Predictions:
        """Answers for rows in the form of `matrix`, which nobody has checked: for callers that did."""
        if len(matrix) == 1 and (found := self._one.run(matrix)) is not None:
            return self._predictions(found)
        if len(matrix) <= self._rows:
            return self._predictions(self._session.run(self._outputs, {"rows": matrix}))
        starts = range(0, len(matrix), self._rows)
        pieces = [self._session.run(self._outputs, {"rows": matrix[start : start + self._rows]}) for start in starts]
        return self._predictions([np.concatenate(piece) for piece in zip(*pieces, strict=True)])

    def _codes(self, values: np.ndarray) -> Sequence[float]:
        get = self.codes.get
        return [get(value, UNKNOWN) for value in values]

    def _predictions(self, found: Sequence[np.ndarray]) -> Predictions:
        if self._labels is None:
            return Predictions(labels=found[0])
        index = found[0]
        return Predictions(
            labels=index if self._same else self._labels[index],
            probabilities=found[1] if len(found) > 1 else None,
        )
