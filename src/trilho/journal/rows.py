"""Rows of the journal as arrays, and the flat Arrow form that they are read from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from trilho.journal.arrow_form import probabilities_of, values_of

FEATURE = "features."  # before the name of a feature, so that it can meet none of the journal's own
OWN = ("id", "time", "model", "version", "latency", "prediction", "probabilities")


@dataclass(frozen=True, kw_only=True)
class Rows:
    """Rows of one file of the journal, in the order they were answered.

    Args:
        ids: Prediction ids. Shape (n,), str.
        times: When they were answered. Shape (n,), datetime64[us], UTC.
        models, versions: Who answered. Shape (n,), str.
        latencies: Of the request that brought the row, seconds. Shape (n,).
        columns: Feature → values, shape (n,), as they were written.
        labels: Shape (n,).
        probabilities: Shape (n, k), or None.
    """

    ids: np.ndarray
    times: np.ndarray
    models: np.ndarray
    versions: np.ndarray
    latencies: np.ndarray
    columns: Mapping[str, np.ndarray]
    labels: np.ndarray
    probabilities: np.ndarray | None

    def where(self, chosen: np.ndarray) -> Rows:
        """Some of the rows. `chosen` is boolean, shape (n,), or holds places."""
        return Rows(
            ids=self.ids[chosen],
            times=self.times[chosen],
            models=self.models[chosen],
            versions=self.versions[chosen],
            latencies=self.latencies[chosen],
            columns={name: values[chosen] for name, values in self.columns.items()},
            labels=self.labels[chosen],
            probabilities=None if self.probabilities is None else self.probabilities[chosen],
        )


def flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    """The batch of a stream with each feature as a column of its own."""
    features = batch.column("features")
    names = [*OWN, *(FEATURE + field.name for field in features.type)]
    return pa.RecordBatch.from_arrays([*(batch.column(name) for name in OWN), *features.flatten()], names=names)


def rows_of(batch: pa.RecordBatch) -> Rows:
    """The rows of a flat batch."""
    return Rows(
        ids=values_of(batch.column("id")),
        times=values_of(batch.column("time")),
        models=_few_words(batch.column("model")),
        versions=_few_words(batch.column("version")),
        latencies=values_of(batch.column("latency")),
        columns={
            name.removeprefix(FEATURE): values_of(column)
            for name, column in zip(batch.schema.names, batch.columns, strict=True)
            if name.startswith(FEATURE)
        },
        labels=values_of(batch.column("prediction")),
        probabilities=probabilities_of(batch.column("probabilities")),
    )


# ----------------------------------------------------------------------------------------------------------------------


def _few_words(column: pa.Array) -> np.ndarray:
    """Strings of which there are few different ones: each becomes one object, not one a row."""
    encoded = column.dictionary_encode()
    words: np.ndarray = values_of(encoded.dictionary)
    found: np.ndarray = words[encoded.indices.to_numpy(zero_copy_only=False)]
    return found
