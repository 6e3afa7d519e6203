"""A file of rows → a file of rows and predictions, some thousands at a time."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from trilho.bundle import Predictions, Predictor, Schema
from trilho.errors import BadData, CannotPredict
from trilho.scoring.columns import columns_of
from trilho.scoring.tables import Table, open_table, write_table

PREDICTION, VERSION, PROBABILITY = "prediction", "model_version", "probability_"


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A file that was written, and how many rows it has."""

    path: Path
    rows: int


def score(
    predictor: Predictor,
    source: Path,
    to: Path,
    *,
    version: str,
    separator: str = ",",
    encoding: str = "utf-8",
    watch: Callable[[int], None] = lambda _: None,
) -> Scored:
    """Answer every row of `source` and write it to `to`, which appears when it is complete.

    All columns of the input stay, in their order; a CSV's values stay as they are written there. On the right come
    `prediction`, `probability_LABEL` for each label where the model gives probabilities, and `model_version`.

    Args:
        source, to: Files ending in .csv, .tsv or .parquet, each in its own format.
        version: Written beside every prediction.
        separator, encoding: Of a CSV that is read. What is written is UTF-8 with commas (tabs in a .tsv).
        watch: Called with the number of rows done.

    Raises:
        SourceUnreadable: the source cannot be read.
        BadData: it has columns twice, or some with our names; or `to` cannot be written.
        CannotPredict: a column is missing, or a value does not fit the model; nothing is written then.
    """
    with open_table(source, separator=separator, encoding=encoding) as table:
        added = _added(predictor.schema, version, _nothing(predictor))
        _check_names(table, [name for name, _ in added], source, to)
        fresh = to.with_name(f".{to.name}.{os.getpid()}")
        done = 0
        try:
            whole = pa.schema([*table.schema, *((pa.field(name, column.type)) for name, column in added)])
            with write_table(fresh, whole, like=to) as write:
                for batch in table.batches:
                    predictions = _answered(predictor, table, batch, done, source)
                    more = [column for _, column in _added(predictor.schema, version, predictions)]
                    write(pa.RecordBatch.from_arrays([*batch.columns, *more], schema=whole))
                    done += batch.num_rows
                    watch(done)
            fresh.replace(to)
        finally:
            with suppress(OSError):
                fresh.unlink()
    return Scored(path=to, rows=done)


# ----------------------------------------------------------------------------------------------------------------------


def _answered(predictor: Predictor, table: Table, batch: pa.RecordBatch, before: int, source: Path) -> Predictions:
    try:
        return predictor.predict(columns_of(batch, predictor.schema, text=table.text))
    except CannotPredict as error:
        counted = f"Rows are counted from 0 at row {before} of the data." if before else ""
        raise CannotPredict(
            f"{source}: {error.what}",
            state="Nothing was written.",
            why="\n".join(part for part in (error.why, counted) if part),
            remedy=error.remedy,
            column=error.column,
            row=None if error.row is None else before + error.row,
        ) from error


def _added(schema: Schema, version: str, predictions: Predictions) -> list[tuple[str, pa.Array]]:
    """The new columns with their names."""
    labels = predictions.labels
    columns = [(PREDICTION, pa.array(labels, pa.string() if labels.dtype == object else None))]
    if predictions.probabilities is not None:
        for place, label in enumerate(schema.labels):
            columns.append((f"{PROBABILITY}{label}", pa.array(predictions.probabilities[:, place], pa.float64())))
    return [*columns, (VERSION, pa.array([version] * len(labels), pa.string()))]


def _nothing(predictor: Predictor) -> Predictions:
    """The answer to no rows, for the types of the new columns."""
    empty: dict[str, list[object]] = {name: [] for name in predictor.schema.names}
    return predictor.predict(empty)


def _check_names(table: Table, added: list[str], source: Path, to: Path) -> None:
    names = list(table.schema.names)
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadData(
            f"{source} has the column '{twice}' {names.count(twice)} times.", remedy="Give each a name of its own."
        )
    taken = next((name for name in added if name in names), None)
    if taken is not None:
        raise BadData(
            f"{source} already has a column '{taken}', which scoring would add.",
            remedy="Rename or drop it; was this file scored before?",
        )
    if to.exists() and to.samefile(source):
        raise BadData("The output is the input.", remedy="Choose another file: trilho score IN -o OUT")
