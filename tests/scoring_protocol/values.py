"""What a body is made of: rows, the forms that MLflow's protocol has for them, and strange values for every kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from trilho.bundle import Schema

JSON, CSV, PARQUET = "application/json", "text/csv", "application/vnd.apache.parquet"
Row = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """A named body. The name begins with what it is about: "time '2026-01' in split"."""

    name: str
    body: bytes
    content_type: str = JSON


NAN, INFINITY = float("nan"), float("inf")
VALUES: Mapping[str, tuple[Any, ...]] = {
    "number": (
        7, 0.5, -3, "1.5", " 1.5 ", "1e3", "1_000", "0x10", "abc", "", "nan", "inf", True, False, None, NAN, INFINITY,
        -INFINITY, 1e300, 10**30, 10**400, 2**53 + 1, [1], [], {"a": 1}, "１",
    ),
    "whole": (3, 3.0, 3.7, -1, "3", "3.7", "x", True, None, NAN, 2**40, 2**70, 1e30, INFINITY, [3]),
    "boolean": (
        True, False, 0, 1, 2, 0.5, 1.0, "true", "false", "True", "yes", "0", "1", "", None, NAN, [True], [],
    ),
    "text": (
        "Recife", "nowhere", "", " Recife", "recife", "Sa\u0303o Paulo", "\ud800", "a\x00b", "x" * 5000, None, NAN, 10,
        10.0, 2.5, True, False, ["a"], {"a": 1}, "10", "nan", "None", "NA",
    ),
    "time": (
        "2026-01-31", "2026-01-31T12:00:00", "2026-01-31 12:00", "2026-01-31T12:00:00.123456789",
        "2026-01-31T12:00:00Z", "2026-01-31T12:00:00+02:00", "20260131", "2026-01", "2026", "2026-01-31T12",
        "31/01/2026", "01/02/2026",
        "Jan 31 2026", "yesterday", "now", "today", "", "NaT", "nan", None, NAN, 1700000000, 1.7e18,
        1700000000000000000, True, "3000-01-01", "1500-01-01", "99999-01-01", ["2026-01-31"], "2026-02-30",
        "2026-01-31T25:00:00", " 2026-01-31 ",
    ),
}  # fmt: skip


def kind_of(name: str, schema: Schema) -> str:
    """Which of `VALUES` are meant for this column."""
    field = next(field for field in schema.fields if field.name == name)
    if field.kind in ("boolean", "time"):
        return field.kind
    if field.kind == "number":
        return "whole" if field.dtype.startswith(("int", "uint")) else "number"
    return "text"


def split(rows: list[Row], **more: Any) -> Any:
    names = list(rows[0])
    data = [[row[name] for name in names] for row in rows]
    return {"dataframe_split": {"columns": names, "data": data, **more}}


def records(rows: list[Row]) -> Any:
    return {"dataframe_records": rows}


def columns(rows: list[Row]) -> Any:
    return {"inputs": {name: [row[name] for row in rows] for name in rows[0]}}


FORMS: Mapping[str, Callable[[list[Row]], Any]] = {
    "split": split,
    "records": records,
    "inputs by column": columns,
    "inputs by row": lambda rows: {"inputs": rows},
    "instances": lambda rows: {"instances": rows},
    "instances by column": lambda rows: {"instances": columns(rows)["inputs"]},
}


def every_value(rows: list[Row], schema: Schema, forms: Sequence[str]) -> Iterator[Sent]:
    """Each strange value, in the second row, and alone, in the first column of its kind."""
    first = {kind_of(name, schema): name for name in reversed(schema.names)}
    for kind, column in first.items():
        for value in VALUES[kind]:
            shown = repr(value) if len(repr(value)) < 40 else f"{value!r:.20}…"
            for form in forms:
                yield in_json(f"{kind} {shown} in {form}", FORMS[form]([rows[0], {**rows[1], column: value}]))
            yield in_json(f"{kind} {shown} alone in split", split([{**rows[0], column: value}]))


def in_json(name: str, found: Any) -> Sent:
    return Sent(name, json.dumps(found).encode())
