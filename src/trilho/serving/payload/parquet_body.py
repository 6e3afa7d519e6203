"""A Parquet body → canonical columns, without pandas: Arrow's own `to_numpy` would import it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from trilho.bundle import Field, Schema
from trilho.bundle.columns import is_numeric
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
    column = pa.concat_arrays(list(chunks.chunks)) if chunks.num_chunks else pa.nulls(0)
    if pa.types.is_dictionary(column.type):
        if not is_numeric(field) and field.kind != "time":
            return _looked_up(column)
        column = column.dictionary_decode()
    kind = column.type
    if pa.types.is_boolean(kind) and is_numeric(field):
        column = pc.cast(column, pa.uint8())
    if pa.types.is_date(kind):
        column, kind = pc.cast(column, pa.timestamp("ms")), pa.timestamp("ms")
    if pa.types.is_timestamp(kind):
        return _moments(field, column)
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)
    if is_numeric(field) and (number or pa.types.is_boolean(kind)):
        return _doubles(pc.cast(column, pa.float64(), safe=False))
    bytes_for_an_image = _is_bytes(kind) and field.kind == "image"
    if number or pa.types.is_boolean(kind) or pa.types.is_null(kind) or _is_text(kind) or bytes_for_an_image:
        found: list[Any] = (pc.cast(column, pa.float64()) if pa.types.is_decimal(kind) else column).to_pylist()
        return found
    raise malformed(f"Column '{field.name}' holds {kind}, which is no {field.kind}.", column=field.name)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def _looked_up(column: pa.DictionaryArray) -> list[Any]:
    words = [*column.dictionary.to_pylist(), None]
    return [words[-1 if place is None else place] for place in column.indices.to_pylist()]


def _moments(field: Field, column: pa.Array) -> list[Any]:
    """Nanoseconds since 1970: what a number in a column of times is. Arrow keeps moments with a zone in UTC."""
    if field.kind != "time":
        raise malformed(f"Column '{field.name}' holds {column.type}, which is no {field.kind}.", column=field.name)
    scale = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[column.type.unit]
    found = column.cast(pa.int64()).to_pylist()
    return [None if value is None else value * scale for value in found]


def _doubles(column: pa.Array) -> np.ndarray:
    """A double column as float64, NaN for null. Shape (n,)."""
    if not len(column):
        return np.empty(0)
    values = np.frombuffer(column.buffers()[1], np.float64, len(column), column.offset * 8)
    if not column.null_count:
        return values
    null = pc.cast(pc.is_null(column), pa.uint8())
    return np.where(np.frombuffer(null.buffers()[1], np.uint8, len(null), null.offset), np.nan, values)
