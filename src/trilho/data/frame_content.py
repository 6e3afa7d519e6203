"""The fingerprint of a table in memory, for sources whose content only reading can tell."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd

from trilho.errors import BadData


def fingerprint_of_frame(frame: pd.DataFrame) -> str:
    """What names the content of `frame`: column names, types, and values in their order; the index does not count.

    The same in every process. All missing values are equal to each other, 0.0 equals -0.0, and text is the same however
    pandas stores it; 1, 1.0, True and "1" differ.

    Returns:
        40 hexadecimal digits.

    Raises:
        BadData: a column holds objects that have no stable content.
    """
    hasher = hashlib.blake2b(digest_size=20)
    for place, name in enumerate(frame.columns):
        column = frame.iloc[:, place]
        _feed_text(hasher, [str(name), str(len(column))])
        try:
            _feed(hasher, column)
        except (TypeError, AttributeError, pickle.PicklingError) as error:
            raise BadData(
                f"The content of column '{name}' has no fingerprint: {error}.",
                remedy=f"Let your function return numbers, text, times or arrays in '{name}', or leave it out.",
            ) from error
    return hasher.hexdigest()


def _feed(hasher: hashlib.blake2b, column: pd.Series[Any]) -> None:
    kind = column.dtype
    if isinstance(kind, pd.CategoricalDtype):
        _feed_text(hasher, ["category", str(kind.ordered)])
        _feed(hasher, pd.Series(kind.categories))
        _feed_array(hasher, column.cat.codes.to_numpy(dtype="<i4"))
    elif isinstance(kind, pd.DatetimeTZDtype):
        _feed_text(hasher, [str(kind)])
        _feed_array(hasher, column.astype("int64").to_numpy())
    elif _is_text(column):
        codes, unique = pd.factorize(column)
        _feed_text(hasher, ["text", str(len(unique))])
        _feed_text(hasher, unique)
        _feed_array(hasher, codes.astype("<i8"))
    elif isinstance(kind, np.dtype) and kind.kind in "biufcmM":
        values = column.to_numpy()
        _feed_text(hasher, [kind.name])
        _feed_array(hasher, _one_of_each(values) if kind.kind in "fc" else values)
    else:
        _feed_text(hasher, ["object" if isinstance(kind, np.dtype) else str(kind)])
        for value, missing in zip(column.to_numpy(dtype=object), _missing(column), strict=True):
            hasher.update(b"\0missing" if missing else _content(value))


def _is_text(column: pd.Series[Any]) -> bool:
    if isinstance(column.dtype, pd.StringDtype):
        return True
    return column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) == "string"


def _missing(column: pd.Series[Any]) -> list[bool]:
    """Row by row; an array in a cell counts as there."""
    return [bool(flag) for flag in column.isna().to_numpy()]


def _feed_array(hasher: hashlib.blake2b, values: np.ndarray[Any, Any]) -> None:
    little = values.astype(values.dtype.newbyteorder("<"), copy=False)
    hasher.update(np.ascontiguousarray(little).view(np.uint8).data)


def _one_of_each(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """One bit pattern for zero and one for NaN."""
    values = values + 0  # turns -0.0 into 0.0, and copies
    values[np.isnan(values)] = np.nan
    return values


def _feed_text(hasher: hashlib.blake2b, texts: Iterable[str]) -> None:
    for text in texts:
        raw = text.encode("utf-8", "surrogatepass")
        hasher.update(len(raw).to_bytes(8, "little") + raw)


def _content(value: Any) -> bytes:
    """A value as bytes, its type and length in front, so that no two different cells look alike."""
    if isinstance(value, np.ndarray) and value.dtype != object:
        raw = np.ascontiguousarray(value).tobytes()
        tag = f"array {value.dtype.str} {value.shape}"
    elif isinstance(value, bytes):
        raw, tag = value, "bytes"
    elif isinstance(value, str):
        raw, tag = value.encode("utf-8", "surrogatepass"), "str"
    elif isinstance(value, (bool, int, float)):
        raw, tag = repr(value).encode(), type(value).__name__
    else:
        raw, tag = pickle.dumps(value, protocol=5), type(value).__name__
    return f"\0{tag} {len(raw)} ".encode() + raw
