"""A window of the journal, read back while others write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trilho.errors import JournalUnreadable
from trilho.journal.arrow_form import probabilities_of, values_of
from trilho.journal.segment import SUFFIX

_ROWS_AT_ONCE = 65_536


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


def read(folder: Path, *, since: float, until: float) -> Iterator[Rows]:
    """The rows answered in since <= time < until (seconds since 1970, UTC), some thousands at a time.

    A file that ends in the middle of a batch, because its writer was killed or is writing, is read up to there. No
    folder is an empty journal.

    Raises:
        JournalUnreadable: the folder or a file in it may not be read.
    """
    try:
        paths = sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []
        for path in paths:
            with suppress(FileNotFoundError):  # it was deleted since we looked
                if path.stat().st_mtime >= since:  # nothing in it is younger than its last write
                    yield from _rows_of(path, since, until)
    except OSError as error:
        raise JournalUnreadable(
            f"The journal in {folder} cannot be read: {error.strerror or error}.",
            remedy="Read it as the user who serves, or correct the permissions of the folder.",
        ) from error


# ----------------------------------------------------------------------------------------------------------------------


def _rows_of(path: Path, since: float, until: float) -> Iterator[Rows]:
    pending: list[pa.RecordBatch] = []
    waiting = 0
    for batch in _batches(path):
        chosen = _between(batch, since, until)
        if chosen.num_rows:
            pending.append(chosen)
            waiting += chosen.num_rows
        if waiting >= _ROWS_AT_ONCE:
            yield _rows(pending)
            pending, waiting = [], 0
    if pending:
        yield _rows(pending)


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    with path.open("rb") as file:
        try:
            with pa.ipc.open_stream(file) as stream:
                while True:
                    yield stream.read_next_batch()
        except (StopIteration, pa.ArrowInvalid, EOFError):
            return  # the end, or as far as its writer came
        except OSError as error:
            if error.errno is not None:
                raise
            return  # Arrow's own: a batch that is cut off


def _between(batch: pa.RecordBatch, since: float, until: float) -> pa.RecordBatch:
    first, last = (pa.scalar(round(bound * 1e6), pa.timestamp("us", "UTC")) for bound in (since, until))
    time = batch.column("time")
    return batch.filter(pc.and_(pc.greater_equal(time, first), pc.less(time, last)))


def _rows(batches: list[pa.RecordBatch]) -> Rows:
    table = pa.Table.from_batches(batches).combine_chunks()
    whole = {name: table.column(name).chunk(0) for name in table.column_names}
    features = whole["features"]
    return Rows(
        ids=values_of(whole["id"]),
        times=values_of(whole["time"]),
        models=values_of(whole["model"]),
        versions=values_of(whole["version"]),
        latencies=values_of(whole["latency"]),
        columns={field.name: values_of(features.field(place)) for place, field in enumerate(features.type)},
        labels=values_of(whole["prediction"]),
        probabilities=probabilities_of(whole["probabilities"]),
    )
