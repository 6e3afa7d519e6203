"""Tables as lines of text. Arrow's own writer puts quotes around every text, even around numbers that came as text."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from trilho.journal.buffers import array_of, texts

_QUOTED = '["\r\n]'


class TextWriter:
    """Writes record batches as CSV in UTF-8: a header, quotes where they are needed, nothing for null.

    Raises:
        OSError: the file cannot be written.
        pyarrow.ArrowException: a column, such as one of lists, has no text.
    """

    def __init__(self, path: Path, schema: pa.Schema, *, separator: str) -> None:
        self._separator = separator
        for field in schema:
            pc.cast(pa.nulls(0, field.type), pa.string())  # fails now rather than in the middle
        self._file = path.open("wb")
        self._write([texts([name]) for name in schema.names])

    def write_batch(self, batch: pa.RecordBatch) -> None:
        self._write([pc.cast(column, pa.string()) for column in batch.columns])

    def close(self) -> None:
        self._file.close()

    def _write(self, columns: list[pa.Array]) -> None:
        rows = len(columns[0])
        cells = [self._quoted(column) for column in columns]
        cells[-1] = _joined([cells[-1], _repeated("\n", rows)], _repeated("", rows))
        lines = _joined(cells, _repeated(self._separator, rows))
        if rows:
            self._file.write(lines.buffers()[2])

    def _quoted(self, column: pa.Array) -> pa.Array:
        """The column with quotes around the values that would not come back without."""
        if not column.buffers()[2]:
            return column
        content = column.buffers()[2].to_pybytes()  # may hold more than the column; searching all is fast
        if not any(sign in content for sign in (b'"', b"\n", b"\r", self._separator.encode())):
            return column
        needed = pc.match_substring_regex(column, _QUOTED.replace('"', f'"{self._separator}'))
        rows = len(column)
        mark = _repeated('"', rows)
        within = pc.replace_substring(column, '"', '""')
        return pc.if_else(needed, _joined([mark, within, mark], _repeated("", rows)), column)


# ----------------------------------------------------------------------------------------------------------------------


def _joined(columns: list[pa.Array], separators: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*columns, separators, null_handling="replace", null_replacement="")


def _repeated(text: str, rows: int) -> pa.Array:
    """An array, because a scalar of Arrow would import pandas."""
    return texts([text]).take(array_of(np.zeros(rows, np.int64)))
