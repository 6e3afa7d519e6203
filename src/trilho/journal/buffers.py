"""Arrow arrays made from numpy's memory by hand.

`pyarrow.array` would do, but it imports pandas wherever that is installed, and a model server has no use for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa


def array_of(values: np.ndarray) -> pa.Array:
    """An Arrow array of the same values, null where there is none.

    Args:
        values: Shape (n,): whole numbers, booleans, float64 with NaN, datetime64 with NaT, or objects of str and None.
    """
    if values.dtype == object:
        return texts(values.tolist())
    if values.dtype.kind == "b":
        return _made(pa.bool_(), len(values), None, np.packbits(values, bitorder="little"))
    if values.dtype.kind == "M":
        known = ~np.isnat(values)
        return _made(pa.timestamp("ns"), len(values), known, values.astype("datetime64[ns]").view("int64"))
    if values.dtype.kind in "iu":
        return _made(pa.int64(), len(values), None, values.astype("int64"))
    numbers = values.astype("float64", copy=False)
    return _made(pa.float64(), len(values), ~np.isnan(numbers), numbers)


def texts(words: Sequence[str | None]) -> pa.Array:
    """Strings, null for None. What UTF-8 cannot hold (half a surrogate pair) becomes a question mark."""
    known = np.array([word is not None for word in words]) if None in words else None
    filled: Sequence[Any] = words if known is None else ["" if word is None else word for word in words]
    text = "".join(filled)
    encoded = text.encode(errors="replace")  # all at once: a call for each word would take longer than its letters
    if len(encoded) == len(text):
        lengths = map(len, filled)
    else:
        sizes = {word: len(word.encode(errors="replace")) for word in set(filled)}
        lengths = map(sizes.__getitem__, filled)
    offsets = _offsets(np.fromiter(lengths, np.int64, len(words)))
    return _made(pa.string(), len(words), known, offsets, encoded)


def repeated(word: str, rows: int) -> pa.Array:
    """The same string in every row."""
    encoded = word.encode(errors="replace")
    offsets = np.arange(rows + 1, dtype="int32") * len(encoded)
    return _made(pa.string(), rows, None, offsets.astype("int32"), encoded * rows)


def moments(seconds: np.ndarray) -> pa.Array:
    """Seconds since 1970, UTC, to the microsecond. Shape (n,), no NaN."""
    return _made(pa.timestamp("us", "UTC"), len(seconds), None, np.round(seconds * 1e6).astype("int64"))


def lists(matrix: np.ndarray) -> pa.Array:
    """One list of numbers per row. Shape (n, k)."""
    rows, width = matrix.shape
    flat = np.ascontiguousarray(matrix, dtype="float64").ravel()
    kind = pa.list_(pa.float64())
    return pa.Array.from_buffers(kind, rows, [None, _buffer(_offsets(np.full(rows, width)))], children=[array_of(flat)])


def struct(names: Sequence[str], columns: Sequence[pa.Array], rows: int) -> pa.Array:
    """One struct per row with these columns as its fields; there may be none."""
    kind = pa.struct([pa.field(name, column.type) for name, column in zip(names, columns, strict=True)])
    return pa.Array.from_buffers(kind, rows, [None], children=list(columns))


# ----------------------------------------------------------------------------------------------------------------------


def _made(kind: pa.DataType, rows: int, known: np.ndarray | None, *parts: Any) -> pa.Array:
    bits = None if known is None or known.all() else _buffer(np.packbits(known, bitorder="little"))
    return pa.Array.from_buffers(kind, rows, [bits, *(_buffer(part) for part in parts)])


def _buffer(part: Any) -> pa.Buffer:
    return pa.py_buffer(np.ascontiguousarray(part) if isinstance(part, np.ndarray) else part)


def _offsets(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths, dtype="int64")]).astype("int32")
