"""The features of one request, in the form that its request had them: turning them into columns is left to the writer.

A request has some microseconds to spend; a column of a thousand requests is made as quickly as that of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np


class Features(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """Rows in exactly one of three forms. (A Struct: made once per request.)

    Args:
        names: Of the features, in the model's order.
        columns: One array a feature, shape (n,): float64 with NaN for null, objects of str and None, or datetime64[ns].
        matrix: Shape (n, features), float64, NaN for null.
        rows: n rows of numbers, booleans, str and None, in the order of the request.
        layout: For each of `names`, where in a row it is, and whether it is a number or boolean.
    """

    names: tuple[str, ...]
    columns: tuple[np.ndarray, ...] | None = None
    matrix: np.ndarray | None = None
    rows: Sequence[tuple[Any, ...]] | None = None
    layout: tuple[tuple[int, bool], ...] = ()

    @classmethod
    def of(cls, columns: Mapping[str, np.ndarray]) -> Features:
        """Features that are columns already."""
        return cls(names=tuple(columns), columns=tuple(columns.values()))

    @property
    def form(self) -> tuple[object, ...]:
        """What features must share to be joined."""
        if self.columns is not None:
            return ("columns", self.names, tuple(values.dtype for values in self.columns))
        return ("rows", self.names, self.layout) if self.rows is not None else ("matrix", self.names)


def columns_of(features: Features) -> dict[str, np.ndarray]:
    """The features as columns: float64 with NaN for null, objects of str and None, or times."""
    names = features.names
    if features.columns is not None:
        return dict(zip(names, features.columns, strict=True))
    if features.matrix is not None:
        return dict(zip(names, np.ascontiguousarray(features.matrix.T), strict=True))
    columns = list(zip(*features.rows or (), strict=True))
    return {
        name: np.array(columns[place], dtype=np.float64) if numeric else _words(columns[place])
        for name, (place, numeric) in zip(names, features.layout, strict=True)
    }


# ----------------------------------------------------------------------------------------------------------------------


def _words(values: Sequence[str | None]) -> np.ndarray:
    words = np.empty(len(values), dtype=object)
    words[:] = values
    return words
