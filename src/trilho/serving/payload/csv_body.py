"""A CSV body → canonical columns, with pandas' words for a missing value, and its way with blank lines and names."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import msgspec
import numpy as np

from trilho.bundle import Field, Schema
from trilho.bundle.columns import is_numeric
from trilho.data.missing_words import MISSING_WORDS
from trilho.serving.payload.given import Columns, Values, by_position, columns_of, malformed

csv.field_size_limit(2**31 - 1)  # an image is one long value; the body as a whole is limited already

_NUMBERS = msgspec.json.Decoder(list[float])


def read_csv(body: bytes, schema: Schema) -> Columns:
    """The rows of a CSV text with a header, UTF-8, comma separated. Blank lines are skipped; of two columns with one
    name the first counts. Otherwise as `read_json`.
    """
    try:
        rows = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except UnicodeDecodeError as error:
        raise malformed(f"The body is not UTF-8: byte {error.start} is none.") from error
    except csv.Error as error:
        raise malformed(f"The body is not CSV: {error}.") from error
    header, *lines = [row for row in rows if len(row) > 1 or (row and row[0].strip())] or [[]]
    if not header:
        raise malformed("The body is empty.")
    names = [name if name not in header[:place] else place for place, name in enumerate(header)]
    given = by_position(lines, names, schema)
    fields = {field.name: field for field in schema.fields}
    return columns_of({name: _plain(fields.get(name), words) for name, words in given.items()}, schema)


# ----------------------------------------------------------------------------------------------------------------------


def _plain(field: Field | None, words: Sequence[str] | np.ndarray) -> Values:
    """Words with None where they stand for a missing value; where all are plainly numbers, these."""
    if field is None:
        return words
    if is_numeric(field) and field.kind != "boolean":
        try:
            # As JSON: many times as fast as float(). A word that is not one number spoils it, or changes the length.
            numbers = _NUMBERS.decode(f"[{','.join(words)}]")
            if len(numbers) == len(words):
                return np.array(numbers)
        except (msgspec.DecodeError, UnicodeError):
            pass
    return [None if word in MISSING_WORDS else word for word in words]
