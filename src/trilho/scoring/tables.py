"""Tables in files, read and written in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv, parquet

from trilho.errors import BadData, SourceUnreadable

ROWS_AT_ONCE = 65_536
CSV_BYTES_AT_ONCE = 16 << 20

_SEPARATORS = {".csv": ",", ".tsv": "\t"}
_FORMATS = (*_SEPARATORS, ".parquet")
_ERRORS = (pa.ArrowException, OSError, UnicodeError, LookupError)


@dataclass(frozen=True)
class Table:
    """A table that is being read.

    Args:
        text: All values are text, as a CSV has them.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    text: bool


@contextmanager
def open_table(path: Path, *, separator: str = ",", encoding: str = "utf-8") -> Iterator[Table]:
    """The table in a file, its format told by its name.

    Raises:
        SourceUnreadable: it is not there, not of that format, or damaged (also while it is read).
    """
    kind = _format_of(path)
    try:
        if kind == ".parquet":
            file = parquet.ParquetFile(path)
            table = Table(file.schema_arrow, _guarded(path, file.iter_batches(ROWS_AT_ONCE)), text=False)
        else:
            file = _texts(path, separator if separator != "," else _SEPARATORS[kind], encoding)
            table = Table(file.schema, _guarded(path, file), text=True)
    except _ERRORS as error:
        raise _unreadable(path, error) from error
    with file:
        yield table


@contextmanager
def write_table(path: Path, schema: pa.Schema, *, like: Path) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """Writes record batches into the file `path`, in the format that the name of `like` tells.

    Raises:
        BadData: the folder cannot be written, the disk is full, or the format cannot hold the columns.
    """
    kind = _format_of(like)

    def write(batch: pa.RecordBatch) -> None:
        try:
            writer.write_batch(batch)
        except _ERRORS as error:
            raise _unwritable(like, error) from error

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if kind == ".parquet":
            writer = parquet.ParquetWriter(path, schema)
        else:
            options = csv.WriteOptions(delimiter=_SEPARATORS[kind], quoting_style="needed")
            writer = csv.CSVWriter(path, schema, write_options=options)
    except _ERRORS as error:
        raise _unwritable(like, error) from error
    try:
        yield write
    except BaseException:
        with suppress(*_ERRORS):
            writer.close()
        raise
    try:
        writer.close()
    except _ERRORS as error:
        raise _unwritable(like, error) from error


# ----------------------------------------------------------------------------------------------------------------------


def _format_of(path: Path) -> str:
    kind = path.suffix.lower()
    if kind not in _FORMATS:
        raise SourceUnreadable(
            f"{path}: '{path.suffix}' is not a format of tables that is known here.",
            remedy=f"Use a file that ends in {', '.join(_FORMATS)}.",
        )
    return kind


def _guarded(path: Path, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    try:
        yield from batches
    except _ERRORS as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> SourceUnreadable:
    return SourceUnreadable(
        f"{path} cannot be read.",
        state="Nothing was written.",
        why=_first_line(error),
        remedy="Check that the file is there and whole, and for a CSV its separator and encoding (data.options).",
    )


def _unwritable(path: Path, error: Exception) -> BadData:
    return BadData(
        f"{path} cannot be written.", why=_first_line(error), remedy="Choose another place: trilho score IN -o OUT"
    )


def _texts(path: Path, separator: str, encoding: str) -> Any:
    """All columns as text: what is written back is then what was there."""
    reading = {
        "read_options": csv.ReadOptions(encoding=encoding, block_size=CSV_BYTES_AT_ONCE),
        "parse_options": csv.ParseOptions(delimiter=separator, newlines_in_values=True),
    }
    with csv.open_csv(path, **reading) as first:
        names = first.schema.names
    as_text = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    return csv.open_csv(path, convert_options=as_text, **reading)


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
