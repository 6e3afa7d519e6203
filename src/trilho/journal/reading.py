"""A window of the journal, read back while others write, close, replace and delete its files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import reduce
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trilho.errors import JournalUnreadable
from trilho.journal.closing import batches
from trilho.journal.folder import Contents, closed_path, contents
from trilho.journal.forgetting import Forgotten, forgotten, without
from trilho.journal.rows import FEATURE, OWN, Rows, flat, rows_of

_ROWS_AT_ONCE = 65_536
_CLOCK_STEP = 2.0  # seconds: the coarsest time of change that a file system keeps


def read(
    folder: Path | Sequence[Path],
    *,
    since: float,
    until: float,
    columns: Sequence[str] | None = None,
    model: str | None = None,
    version: str | None = None,
) -> Iterator[Rows]:
    """The rows answered in since <= time < until (seconds since 1970, UTC), some thousands at a time.

    Each row comes once, whatever is done to its file meanwhile. Rows of different columns come apart. A file that ends
    in the middle of a batch, because its writer was killed or is writing, is read up to there. No folder is an empty
    journal. Files, groups of rows and columns that are not asked for are not read.

    Args:
        folder: Of the journal; several where replicas write to their own.
        columns: The features wanted; None for all. One that a row does not have is left out of its `columns`.
        model, version: Only rows that these answered; None for all.

    Raises:
        JournalUnreadable: the folder or a file in it may not be read, or a closed file is damaged.
    """
    folders = [folder] if isinstance(folder, Path) else list(folder)
    window = _Window(since=since, until=until, columns=columns, model=model, version=version)
    try:
        found = [contents(place) for place in folders]
        gone = forgotten(*found)
        for one in found:
            for batch in _batches(one, window, gone):
                yield from (rows_of(part) for part in _of_one_width(batch))
    except OSError as error:
        raise JournalUnreadable(
            f"The journal in {', '.join(map(str, folders))} cannot be read: {error.strerror or error}.",
            remedy="Read it as the user who serves, or correct the permissions of the folder.",
        ) from error


# ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Window:
    since: float
    until: float
    columns: Sequence[str] | None
    model: str | None
    version: str | None

    def wants(self, name: str) -> bool:
        """Is this column of a flat batch asked for?"""
        return self.columns is None or name in OWN or name.removeprefix(FEATURE) in self.columns

    def of(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The rows and columns of a flat batch that are asked for."""
        time = batch.column("time")
        first, last = (pa.scalar(bound, time.type) for bound in (_microseconds(self.since), _microseconds(self.until)))
        tests = [pc.greater_equal(time, first), pc.less(time, last)]
        asked = {"model": self.model, "version": self.version}
        tests += [pc.equal(batch.column(name), wanted) for name, wanted in asked.items() if wanted is not None]
        names = [name for name in batch.schema.names if self.wants(name)]
        chosen = reduce(pc.and_, tests)
        part = batch.select(names)
        return part if pc.all(chosen).as_py() else part.filter(chosen)

    def meets(self, group: Any, places: dict[str, int]) -> tuple[bool, bool]:
        """By the statistics of a group of rows: may it hold a row that is asked for, and may it hold another?"""
        bounds = {name: group.column(places[name]).statistics for name in ("time", "model", "version")}
        if any(bound is None or not bound.has_min_max for bound in bounds.values()):
            return True, True
        first, last = (_microseconds(bound.timestamp()) for bound in (bounds["time"].min, bounds["time"].max))
        since, until = _microseconds(self.since), _microseconds(self.until)
        some, others = last >= since and first < until, first < since or last >= until
        for name in ("model", "version"):
            wanted, bound = getattr(self, name), bounds[name]
            some = some and (wanted is None or bound.min <= wanted <= bound.max)
            others = others or (wanted is not None and not bound.min == bound.max == wanted)
        return some, others


def _batches(found: Contents, window: _Window, gone: Forgotten) -> Iterator[pa.RecordBatch]:
    for path in found.closed:
        with suppress(FileNotFoundError):  # it was deleted since we looked
            if path.stat().st_mtime + _CLOCK_STEP >= window.since:  # that is the time of its last row, or later
                yield from _of_closed(path, window, gone.pending)
    for path in found.streams:
        try:
            yield from _of_stream(path, window, gone.ids)
        except FileNotFoundError:  # it was closed since we looked, or deleted
            with suppress(FileNotFoundError):
                yield from _of_closed(closed_path(path), window, gone.ids)


def _of_closed(path: Path, window: _Window, gone: pa.Array) -> Iterator[pa.RecordBatch]:
    with path.open("rb") as source:  # by its handle: a file that is replaced meanwhile stays whole
        try:
            file = pq.ParquetFile(source)
            names = file.schema_arrow.names
            wanted = [name for name in names if window.wants(name)]
            places = {file.metadata.row_group(0).column(place).path_in_schema: place for place in range(len(OWN))}
            for number in range(file.num_row_groups):
                some, others = window.meets(file.metadata.row_group(number), places)
                if some:
                    for batch in file.iter_batches(_ROWS_AT_ONCE, row_groups=[number], columns=wanted):
                        yield without(window.of(batch) if others else batch, gone)
        except (pa.ArrowException, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            raise JournalUnreadable(
                f"The journal's file {path} is damaged.",
                why=str(error),
                remedy="Put back a copy of it, or delete it; its rows are lost then, all others are read.",
            ) from error


def _of_stream(path: Path, window: _Window, gone: pa.Array) -> Iterator[pa.RecordBatch]:
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches(path):
        chosen = without(window.of(flat(batch)), gone)
        if chosen.num_rows:
            waiting.append(chosen)
            rows += chosen.num_rows
        if rows >= _ROWS_AT_ONCE:
            yield _joined(waiting)
            waiting, rows = [], 0
    if waiting:
        yield _joined(waiting)


def _microseconds(seconds: float) -> int:
    return round(seconds * 1e6)  # as rows have them: two windows that meet share no row, and miss none


def _joined(parts: list[pa.RecordBatch]) -> pa.RecordBatch:
    return pa.Table.from_batches(parts).combine_chunks().to_batches()[0]


def _of_one_width(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """A batch apart by the number of its probabilities: two models may take the same, and know other labels."""
    widths = pc.fill_null(pc.list_value_length(batch.column("probabilities")), -1)
    different = pc.unique(widths)
    if len(different) == 1:
        yield batch
    elif len(different):
        for width in different:
            yield batch.filter(pc.equal(widths, width))
