"""A hash of each row's content that never changes: not between processes, machines, library versions or data sets.

The split is decided by it, so a row that was once in the test part stays there when the data grows; and a version
carries the hashes of its training rows, so that a later comparison uses only rows that neither model has seen.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trilho.data.dataset import Column

if TYPE_CHECKING:
    import pandas as pd

_NUMBERS = ("number", "boolean")
_MISSING = np.uint64(0x9AE16A3B2F90404F)


def row_hashes(frame: pd.DataFrame, columns: Sequence[Column]) -> np.ndarray:
    """One hash per row over `columns`. Shape (n,), uint64.

    Equal content gives equal hashes: 1, 1.0 and True are the same number, so a column that turns from whole numbers to
    fractions, because a later file has a missing value, moves no row. The order of the columns does not count, their
    names do.
    """
    total = np.zeros(len(frame), dtype=np.uint64)
    for column in columns:
        total += mix(_column(frame[column.name], column.kind) ^ _of_text(column.name))
    return mix(total)


def shares(hashes: np.ndarray, seed: int) -> np.ndarray:
    """A number in [0, 1) for each hash, evenly spread, another for each seed. Shape (n,), float64."""
    salted = mix(hashes ^ mix(np.array([seed & (2**64 - 1)], dtype=np.uint64)))
    return np.asarray((salted >> np.uint64(11)).astype(np.float64) / float(1 << 53))


def mix(values: np.ndarray) -> np.ndarray:
    """Spreads every bit over all 64, one to one.

    Source:
        The finalizer of SplitMix64: Steele, Lea & Flood (2014), "Fast splittable pseudorandom number generators",
        OOPSLA, 453-472.
    """
    mixed = values.astype(np.uint64) + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)))


def _column(values: pd.Series[Any], kind: str) -> np.ndarray:
    if kind in _NUMBERS:
        numbers = values.to_numpy(dtype=np.float64, na_value=np.nan) + 0.0  # + 0.0: minus zero is zero
        return np.where(np.isnan(numbers), _MISSING, numbers.view(np.uint64))
    if kind == "time":
        moments = values.to_numpy(dtype="datetime64[us]")
        return np.where(np.isnat(moments), _MISSING, moments.view(np.uint64))
    codes, words = values.factorize()
    table = np.array([_of_text(str(word)) for word in words] + [_MISSING], dtype=np.uint64)
    return np.asarray(table[codes])  # factorize gives -1 for missing: the last entry


def _of_text(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little"))
