"""Tables in files, read and written in pieces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from trilho.errors import BadData, SourceUnreadable
from trilho.scoring.text_lines import TextWriter

CELLS_AT_ONCE = 2_000_000  # bounds what is in memory; a piece is a row group of a Parquet file that is written
MOST_ROWS_AT_ONCE, FEWEST_ROWS_AT_ONCE = 65_536, 1_024
CSV_BYTES_AT_ONCE = 4 << 20
READ_BYTES_AT_ONCE = 1 << 18  # of each column of a Parquet file

_SEPARATORS = {".csv": ",", ".tsv": "\t"}
FORMATS = (*_SEPARATORS, ".parquet")
_ERRORS = (pa.ArrowException, OSError, UnicodeError, LookupError)
_CODECS = ("snappy", "gzip", "brotli", "zstd", "lz4")
_WIDTHS = {"INT32": 4, "FLOAT": 4, "INT64": 8, "DOUBLE": 8}  # bytes of a number of the physical types that are numbers


@dataclass(frozen=True, kw_only=True)
class Parquet:
    """How a Parquet file is written.

    Args:
        codec: The name of its compression.
        repeating: Paths of the columns that get a dictionary of their different values. With nearly as many as rows it
            takes five times as long and saves nothing.
    """

    codec: str = "snappy"
    repeating: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that is being read.

    Args:
        rows: How many it has; None where only reading tells.
        text: All values are text, as a CSV has them.
        style: To write another Parquet file as this one is.
    """

    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    rows: int | None
    text: bool
    style: Parquet


@contextmanager
def open_table(path: Path, *, separator: str = ",", encoding: str = "utf-8") -> Iterator[Table]:
    """The table in a file, its format told by its name.

    Raises:
        SourceUnreadable: it is not there, not of that format, or damaged (also while it is read).
    """
    kind = format_of(path)
    try:
        file, table = _parquet(path) if kind == ".parquet" else _text(path, kind, separator, encoding)
    except _ERRORS as error:
        raise _unreadable(path, error) from error
    with file:
        yield table


@contextmanager
def write_table(
    path: Path, schema: pa.Schema, *, to: Path, style: Parquet
) -> Iterator[Callable[[pa.RecordBatch], None]]:
    """Writes pieces of a table into the file `path`, in the format that the name of `to` tells.

    Raises:
        BadData: the folder cannot be written, the disk is full, or the format cannot hold the columns; names `to`.
    """
    kind = format_of(to)

    def write(piece: pa.RecordBatch) -> None:
        try:
            writer.write_batch(piece)
        except _ERRORS as error:
            raise unwritable(to, error) from error

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = _writer(path, schema, kind, style)
    except _ERRORS as error:
        raise unwritable(to, error) from error
    try:
        yield write
    except BaseException:
        with suppress(*_ERRORS):
            writer.close()
        raise
    try:
        writer.close()
    except _ERRORS as error:
        raise unwritable(to, error) from error


def format_of(path: Path) -> str:
    """The ending of a table's name, in small letters. Raises SourceUnreadable for one that is not known."""
    kind = path.suffix.lower()
    if kind not in FORMATS:
        raise SourceUnreadable(
            f"{path}: '{path.suffix}' is not a format of tables that is known here.",
            remedy=f"Use a file that ends in {', '.join(FORMATS)}.",
        )
    return kind


def unwritable(path: Path, error: Exception) -> BadData:
    """The error for an output that cannot be written."""
    return BadData(
        f"{path} cannot be written.", why=_first_line(error), remedy="Choose another place: trilho score IN -o OUT"
    )


# ----------------------------------------------------------------------------------------------------------------------


def _parquet(path: Path) -> tuple[Any, Table]:
    from pyarrow import parquet

    # As it comes, a whole row group would be in memory: pandas writes a million rows into one.
    file = parquet.ParquetFile(path, buffer_size=READ_BYTES_AT_ONCE, pre_buffer=False)
    rows = min(MOST_ROWS_AT_ONCE, max(FEWEST_ROWS_AT_ONCE, CELLS_AT_ONCE // max(1, len(file.schema_arrow))))
    return file, Table(
        schema=file.schema_arrow,
        batches=_guarded(path, file.iter_batches(rows)),
        rows=file.metadata.num_rows,
        text=False,
        style=_style(file.metadata),
    )


def _style(written: Any) -> Parquet:
    if not written.num_row_groups or not written.num_columns:
        return Parquet()
    group = written.row_group(0)
    chunks = [group.column(place) for place in range(group.num_columns)]
    codec = chunks[0].compression.lower()
    codec = "none" if codec == "uncompressed" else codec if codec in _CODECS else "snappy"
    return Parquet(codec=codec, repeating=tuple(chunk.path_in_schema for chunk in chunks if _repeats(chunk)))


def _repeats(chunk: Any) -> bool:
    """Was there a dictionary, and did it save anything?"""
    if not any("DICTIONARY" in encoding for encoding in chunk.encodings):
        return False
    width = _WIDTHS.get(chunk.physical_type)
    return width is None or chunk.total_uncompressed_size < 0.9 * width * chunk.num_values


def _text(path: Path, kind: str, separator: str, encoding: str) -> tuple[Any, Table]:
    """All columns as text: what is written back is then what was there."""
    from pyarrow import csv

    reading = {
        "read_options": csv.ReadOptions(encoding=encoding, block_size=CSV_BYTES_AT_ONCE),
        "parse_options": csv.ParseOptions(
            delimiter=separator if separator != "," else _SEPARATORS[kind], newlines_in_values=True
        ),
    }
    with csv.open_csv(path, **reading) as first:
        names = first.schema.names
    as_text = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=False)
    file = csv.open_csv(path, convert_options=as_text, **reading)
    style = Parquet(repeating=tuple(names))
    return file, Table(schema=file.schema, batches=_guarded(path, file), rows=None, text=True, style=style)


def _writer(path: Path, schema: pa.Schema, kind: str, style: Parquet) -> Any:
    if kind in _SEPARATORS:
        return TextWriter(path, schema, separator=_SEPARATORS[kind])
    from pyarrow import parquet

    return parquet.ParquetWriter(path, schema, compression=style.codec, use_dictionary=list(style.repeating))


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


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0][:300] if str(error) else type(error).__name__
