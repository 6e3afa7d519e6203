"""A Parquet body → canonical columns, without pandas: Arrow's own `to_numpy` would import it."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from trilho.bundle import Field, Schema
from trilho.bundle.columns import is_numeric
from trilho.bundle.from_arrow import doubles
from trilho.serving.payload.given import Columns, Values, columns_of, malformed

CELLS = 20_000_000  # more are refused: a file of a few bytes can hold any number of equal rows


def read_parquet(body: bytes, schema: Schema) -> Columns:
    """The rows of a Parquet file: columns by name, of any type that fits. Otherwise as `read_json`."""
    fields = {field.name: field for field in schema.fields}
    given: dict[str, Values]
    words = {name for name, field in fields.items() if not is_numeric(field) and field.kind != "time"}
    try:
        facts = parquet.read_metadata(pa.BufferReader(body))
        words &= {facts.schema.column(place).path for place in range(facts.num_columns)}
        # Words stay in their dictionary: one long text that a million rows share is not written out a million times.
        file = parquet.ParquetFile(pa.BufferReader(body), metadata=facts, read_dictionary=sorted(words))
        names = file.schema_arrow.names
        rows = facts.num_rows
        if rows * len(fields) > CELLS:
            raise malformed(f"The file holds {rows} rows; at most {CELLS // len(fields)} are read at once.")
        twice = [name for name in fields if names.count(name) > 1]
        if twice:
            raise malformed(f"Column '{twice[0]}' appears more than once.", column=twice[0])
        table = file.read(columns=[name for name in names if name in fields], use_threads=False)
        given = dict.fromkeys(names, ())
        given |= {name: _values(fields[name], table.column(name)) for name in table.column_names if name in fields}
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise malformed(f"The body is not a Parquet file that can be read: {str(error).splitlines()[0]}.") from error
    return columns_of(given, schema)


# ----------------------------------------------------------------------------------------------------------------------


def _values(field: Field, chunks: pa.ChunkedArray) -> Values:
    """A column as `values.column_of` takes it."""
    column = pa.concat_arrays(chunks.chunks) if chunks.num_chunks else pa.nulls(0)
    if not pa.types.is_dictionary(column.type):
        return _plain(field, column)
    if is_numeric(field) or field.kind == "time":
        return _plain(field, column.dictionary_decode())
    words = [*_plain(field, column.dictionary), None]
    return [words[-1 if place is None else place] for place in column.indices.to_pylist()]


def _plain(field: Field, column: pa.Array) -> Values:
    if _is_bytes(column.type) and field.kind != "image":
        column = pc.cast(column, pa.string())  # some writers do not say that their bytes are text
    if pa.types.is_date(column.type):
        column = pc.cast(column, pa.timestamp("ms"))
    elif pa.types.is_decimal(column.type):
        column = pc.cast(column, pa.float64())
    kind = column.type
    if pa.types.is_timestamp(kind) and field.kind == "time":
        return _moments(column)
    number = pa.types.is_boolean(kind) or pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if number and is_numeric(field):
        column = pc.cast(column, pa.uint8()) if pa.types.is_boolean(kind) else column
        return doubles(pc.cast(column, pa.float64(), safe=False))
    if number or pa.types.is_null(kind) or _is_text(kind) or _is_bytes(kind):
        found: list[Any] = column.to_pylist()
        return found
    raise malformed(f"Column '{field.name}' holds {kind}, which is no {field.kind}.", column=field.name)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _moments(column: pa.Array) -> list[Any]:
    """Nanoseconds since 1970: what a number in a column of times is. Arrow keeps moments with a zone in UTC."""
    scale = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[column.type.unit]
    found = column.cast(pa.int64()).to_pylist()
    return [None if value is None else value * scale for value in found]
