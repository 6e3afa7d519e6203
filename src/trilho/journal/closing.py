"""A stream that is over becomes a Parquet file; a Parquet file loses rows. At every moment each row is there once.

Parquet because it is half the size, read by everything, and read in part: a reader skips files, groups of rows and
columns that it does not need.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trilho.journal.folder import closed_path, partial_path, put_in_place
from trilho.journal.forgetting import without
from trilho.journal.rows import flat

GROUP_ROWS = 32_768  # of a group of rows: what a reader of a short window reads too much, and what is in memory here
GROUP_BYTES = 32 << 20  # in memory, where rows are long


def close(stream: Path, forgotten: pa.Array) -> int:
    """Put a stream's Parquet file in its place, without the rows of these ids, and delete the stream.

    Returns:
        The rows of the Parquet file; there is none without rows.

    Raises:
        OSError: there is no room, or it may not be done; the stream is as it was.
    """
    path = closed_path(stream)
    rows = _write(path, (without(flat(batch), forgotten) for batch in batches(stream)))
    if rows:
        put_in_place(path)
    stream.unlink()
    return rows


def rewrite(path: Path, forgotten: pa.Array) -> int:
    """Take the rows of these ids out of a Parquet file; one without rows is deleted. Returns how many there were.

    Raises:
        OSError: there is no room, or it may not be done; the file is as it was.
    """
    kept = 0
    with pq.ParquetFile(path) as file:
        ids = file.read(columns=["id"]).column("id")
        hits = pc.sum(pc.is_in(ids, value_set=forgotten)).as_py() or 0
        if hits:
            kept = _write(path, (without(batch, forgotten) for batch in file.iter_batches()))
    if kept:  # only now: Windows replaces no open file
        put_in_place(path)
    elif hits:
        path.unlink()
    return int(hits)


def batches(stream: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a stream, as far as its writer came. Raises OSError."""
    with stream.open("rb") as file:
        try:
            with pa.ipc.open_stream(file) as opened:
                while True:
                    yield opened.read_next_batch()
        except (StopIteration, pa.ArrowInvalid, EOFError):
            return  # the end, or a batch that is cut off
        except OSError as error:
            if error.errno is not None:
                raise
            return  # Arrow's own word for the same


# ----------------------------------------------------------------------------------------------------------------------


def _write(path: Path, found: Iterable[pa.RecordBatch]) -> int:
    """All rows as `partial_path(path)`, whose time of change is that of the last row; no file if there are no rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial, rows, last = partial_path(path), 0, 0
    try:
        writer: pq.ParquetWriter | None = None
        try:
            for table in _groups(found):
                if writer is None:
                    writer = pq.ParquetWriter(partial, table.schema, compression="zstd", compression_level=3)
                writer.write_table(table, row_group_size=table.num_rows)
                latest = pc.max(table.column("time")).cast("int64").as_py()
                last = max(last, latest) if rows else latest
                rows += table.num_rows
        finally:
            if writer is not None:
                writer.close()
        if rows:
            os.utime(partial, ns=(last * 1000, last * 1000))
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return rows


def _groups(found: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    waiting: list[pa.RecordBatch] = []
    rows = size = 0
    for batch in found:
        if batch.num_rows:
            waiting.append(batch)
            rows += batch.num_rows
            size += batch.nbytes
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            yield pa.Table.from_batches(waiting)
            waiting, rows, size = [], 0, 0
    if waiting:
        yield pa.Table.from_batches(waiting)
