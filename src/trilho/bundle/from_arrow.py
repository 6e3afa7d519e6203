"""Arrow's memory as numpy's, without pandas, which pyarrow would import for it wherever it is installed."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def doubles(column: pa.Array) -> np.ndarray:
    """A column of doubles as float64, NaN for null; one without nulls is not copied. Shape (n,)."""
    if not len(column):
        return np.empty(0)
    values = np.frombuffer(column.buffers()[1], np.float64, len(column), column.offset * 8)
    if not column.null_count:
        return values
    null = pc.cast(pc.is_null(column), pa.uint8())
    return np.where(np.frombuffer(null.buffers()[1], np.uint8, len(null), null.offset), np.nan, values)
