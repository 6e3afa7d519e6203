"""The short way in: a `dataframe_split` body as nearly every client sends it, decoded by a decoder made for the model.

The decoder knows how many values a row has and of which type each is, so that decoding is validating. Whatever is
unusual (a number in quotes, a column too many, a time) is left to `payload`, which knows every form and every error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import msgspec
import numpy as np

from trilho.bundle import Field, Predictor
from trilho.bundle.columns import is_numeric
from trilho.bundle.compiled import UNKNOWN
from trilho.journal import Features

_ORDERS = 16  # orders of columns that are remembered; clients of one model have one or two
_UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_FEW = 8  # rows up to which a list of lists is the faster way to a matrix


class Express:
    """Reads bodies for one compiled model whose columns are numbers, booleans and categories."""

    def __init__(self, predictor: Predictor) -> None:
        self._predictor = predictor
        self._names = sorted(predictor.schema.names)
        self._latest: _Order | None = None
        self._orders: dict[bytes, _Order | None] = {}
        self._any_order: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_shape(Any))

    def read(self, body: bytes) -> tuple[np.ndarray, Features] | None:
        """The rows as the model's matrix and as the journal wants them; None if this is not the way for them."""
        order = self._latest
        if order is not None:
            try:
                found = order.decoder.decode(body).dataframe_split
                if found.columns == order.columns:
                    return order.rows(found.data)
            except _UNREADABLE:
                pass  # other columns, in number or type; or something unusual
        order = self._order_of(body)
        if order is None:
            return None
        self._latest = order
        try:
            return order.rows(order.decoder.decode(body).dataframe_split.data)
        except _UNREADABLE:
            return None

    def _order_of(self, body: bytes) -> _Order | None:
        try:
            columns = self._any_order.decode(body).dataframe_split.columns
        except _UNREADABLE:
            return None
        raw = bytes(columns)
        if raw not in self._orders:
            if len(self._orders) >= _ORDERS:
                self._orders.clear()  # somebody shuffles: everybody else is back after one request
            self._orders[raw] = self._made(raw)
        return self._orders[raw]

    def _made(self, raw: bytes) -> _Order | None:
        try:
            names = msgspec.json.decode(raw, type=list[str])
        except _UNREADABLE:
            return None
        return _Order(raw, names, self._predictor) if sorted(names) == self._names else None


class _Order:
    """One order of the columns: its decoder, and the way from its rows to the model's."""

    def __init__(self, raw: bytes, names: Sequence[str], predictor: Predictor) -> None:
        schema = predictor.schema
        fields = {field.name: field for field in schema.fields}
        self.columns = msgspec.Raw(raw)
        row: Any = tuple.__class_getitem__(tuple(_type(fields[name]) for name in names))
        self.decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_shape(row))
        self._names = schema.names
        places = tuple(names.index(name) for name in schema.names)
        self._moved = None if places == tuple(range(len(names))) else np.array(places)
        self._layout = tuple((place, is_numeric(fields[names[place]])) for place in places)
        known, unread = _Codes(predictor.codes), _Codes({}, other=0.0)
        self._words = [
            (place, known if fields[name].kind == "category" else unread)
            for place, name in enumerate(names)
            if not is_numeric(fields[name])
        ]

    def rows(self, data: Sequence[tuple[Any, ...]]) -> tuple[np.ndarray, Features] | None:
        """As `Express.read`, of decoded rows."""
        if not data:
            return None
        if self._words:
            return self._few(data) if len(data) <= _FEW else self._many(data)
        matrix = self._ordered(np.array(data, dtype=np.float64))  # None becomes NaN
        return matrix, Features(names=self._names, matrix=matrix)

    def _few(self, data: Sequence[tuple[Any, ...]]) -> tuple[np.ndarray, Features]:
        rows = [list(row) for row in data]
        for row in rows:
            for place, codes in self._words:
                row[place] = codes[row[place]]
        matrix = self._ordered(np.array(rows, dtype=np.float64))
        return matrix, Features(names=self._names, rows=data, layout=self._layout)

    def _many(self, data: Sequence[tuple[Any, ...]]) -> tuple[np.ndarray, Features]:
        """As `_few`, column by column; the journal's columns come about on the way."""
        columns: list[Any] = list(zip(*data, strict=True))
        asked: dict[int, np.ndarray] = {}
        for place, codes in self._words:
            asked[place] = np.empty(len(data), dtype=object)
            asked[place][:] = columns[place]
            columns[place] = map(codes.__getitem__, columns[place])
        numbers = chain.from_iterable(zip(*columns, strict=True))
        matrix = np.fromiter(numbers, np.float64, len(data) * len(columns)).reshape(len(data), -1)
        kept = tuple(matrix[:, place] if numeric else asked[place] for place, numeric in self._layout)
        return self._ordered(matrix), Features(names=self._names, columns=kept)

    def _ordered(self, matrix: np.ndarray) -> np.ndarray:
        """From the order of the request to the model's."""
        return matrix if self._moved is None else matrix.take(self._moved, axis=1)


class _Codes(dict[str | None, float]):
    """Word → its number, and a number for all others."""

    def __init__(self, codes: Mapping[str | None, float], *, other: float = UNKNOWN) -> None:
        super().__init__(codes)
        self._other = other

    def __missing__(self, word: str | None) -> float:
        return self._other


def _shape(row: Any) -> Any:
    index = ("index", msgspec.Raw, msgspec.Raw(b""))  # pandas writes one; nobody reads it
    keys: list[Any] = [("columns", msgspec.Raw), ("data", list[row]), index]
    split = msgspec.defstruct("Split", keys, forbid_unknown_fields=True)
    return msgspec.defstruct("Body", [("dataframe_split", split)], forbid_unknown_fields=True)


def _type(field: Field) -> Any:
    if field.kind == "boolean":
        return bool | None
    return float | None if is_numeric(field) else str | None
