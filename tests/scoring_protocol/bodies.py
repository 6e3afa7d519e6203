"""JSON bodies for `/invocations`, usual and strange in their structure or their text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from scoring_protocol.values import FORMS, JSON, Row, Sent, columns, in_json, records, split

NOTHING = {
    "[]": [], "{}": {}, "null": None, "5": 5, "'a'": "a", "[null]": [None], "[5]": [5], "[[]]": [[]], "[{}]": [{}],
    "true": True, "[[[1]]]": [[[1]]],
}  # fmt: skip
CONTENT_TYPES = (
    f"{JSON}; charset=utf-8", f"{JSON};charset=UTF-8", f"{JSON}; charset=latin-1", f'{JSON}; charset="utf-8"',
    f"{JSON}; charset=utf8", f"{JSON}; format=pandas-split", "application/JSON", "text/json", "text/plain",
    "application/json+x", "x",
)  # fmt: skip


def every_structure(rows: list[Row]) -> Iterator[Sent]:
    """All bodies, made from three rows that the model takes."""
    yield from _structures(rows)
    yield from _split_structures(rows)
    yield from _tensor_structures(rows)
    yield from _texts(rows)


# ----------------------------------------------------------------------------------------------------------------------


def _structures(rows: list[Row]) -> Iterator[Sent]:
    last = list(rows[0])[-1]
    for form, made in FORMS.items():
        yield in_json(f"plain in {form}", made(rows))
        yield in_json(f"one row in {form}", made(rows[:1]))
        yield in_json(f"reordered columns in {form}", made([dict(reversed(row.items())) for row in rows]))
        yield in_json(f"extra column in {form}", made([{**row, "extra": "x"} for row in rows]))
        yield in_json(f"extra column of lists in {form}", made([{**row, "extra": [1, {"a": 2}]} for row in rows]))
        yield in_json(f"missing column in {form}", made([{k: v for k, v in row.items() if k != last} for row in rows]))
        yield in_json(
            f"column of another case in {form}", made([{k.upper() + "X": v for k, v in r.items()} for r in rows])
        )
        yield in_json(f"params beside {form}", {**made(rows), "params": {"a": 1}})
        yield in_json(f"params of no object beside {form}", {**made(rows), "params": 7})
        yield in_json(f"another key beside {form}", {**made(rows), "other": [None], "signature_name": "serving"})
        for key in ("messages", "prompt", "input"):
            yield in_json(f"the language model key {key} beside {form}", {**made(rows), key: "hello"})
    absent = [rows[0], {name: value for name, value in rows[1].items() if name != last}]
    for form in ("records", "inputs by row", "instances"):
        yield in_json(f"key absent in one row in {form}", FORMS[form](absent))
        yield in_json(f"key more in one row in {form}", FORMS[form]([rows[0], {**rows[1], "extra": 1}]))
        yield in_json(f"empty object as a row in {form}", FORMS[form]([rows[0], {}]))
        yield in_json(f"null as a row in {form}", FORMS[form]([rows[0], None]))  # type: ignore[list-item]
        yield in_json(f"a number as a row in {form}", FORMS[form]([rows[0], 5]))  # type: ignore[list-item]
        yield in_json(f"list as a row in {form}", FORMS[form]([rows[0], list(rows[1].values())]))  # type: ignore[list-item]
    for key in ("dataframe_split", "dataframe_records", "inputs", "instances"):
        for shown, value in NOTHING.items():
            yield in_json(f"nothing but {shown} in {key}", {key: value})
    both = {**split(rows), **records(rows)}
    yield in_json("two keys: split and records", both)
    yield in_json("two keys: inputs and instances", {"inputs": rows, "instances": rows})
    yield in_json("old protocol: columns and data at the top", split(rows)["dataframe_split"])
    yield in_json("old protocol: a list of records", rows)
    yield in_json("columns at the top beside the language model key input", {**rows[0], "input": "hello"})
    yield in_json("columns at the top", rows[0])


def _split_structures(rows: list[Row]) -> Iterator[Sent]:
    whole = split(rows)["dataframe_split"]
    names, data = whole["columns"], whole["data"]
    made: dict[str, Any] = {
        "no columns": {"data": data},
        "null for columns": {"columns": None, "data": data},
        "no data": {"columns": names},
        "null for data": {"columns": names, "data": None},
        "no rows": {"columns": names, "data": []},
        "one empty row": {"columns": names, "data": [[]]},
        "empty row": {"columns": names, "data": [data[0], []]},
        "row too short": {"columns": names, "data": [data[0], data[1][:-1]]},
        "row too long": {"columns": names, "data": [data[0], [*data[1], 1]]},
        "all rows too long": {"columns": names, "data": [[*row, 1] for row in data]},
        "all rows too short": {"columns": names, "data": [row[:-1] for row in data]},
        "a single row without its list": {"columns": names, "data": data[0]},
        "rows as objects": {"columns": names, "data": rows},
        "data as an object of columns": {"columns": names, "data": columns(rows)["inputs"]},
        "data as an object of columns without columns": {"data": columns(rows)["inputs"]},
        "data as an object of objects": {"data": {n: {str(i): r[n] for i, r in enumerate(rows)} for n in names}},
        "data as a number": {"columns": names, "data": 5},
        "data as a text": {"columns": names, "data": "a"},
        "index": {"columns": names, "index": [7, 8, 9], "data": data},
        "index of words": {"columns": names, "index": ["a", "b", "c"], "data": data},
        "index with repeats": {"columns": names, "index": [1, 1, 2], "data": data},
        "index too short": {"columns": names, "index": [7], "data": data},
        "index null": {"columns": names, "index": None, "data": data},
        "unknown key": {"columns": names, "data": data, "dtype": "float"},
        "repeated extra column": {"columns": [*names, "x", "x"], "data": [[*row, 1, 2] for row in data]},
        "repeated column": {"columns": [*names, names[0]], "data": [[*row, row[0]] for row in data]},
        "a number as an extra column": {"columns": [*names, 5], "data": [[*row, 1] for row in data]},
        "null as an extra column": {"columns": [*names, None], "data": [[*row, 1] for row in data]},
        "list as an extra column": {"columns": [*names, ["x"]], "data": [[*row, 1] for row in data]},
        "columns as a text": {"columns": "age", "data": data},
        "columns as numbers": {"columns": list(range(len(names))), "data": data},
        "columns in a list": {"columns": [names], "data": data},
        "columns as an object": {"columns": dict.fromkeys(names, 0), "data": data},
        "null row": {"columns": names, "data": [data[0], None]},
        "nested row": {"columns": names, "data": [data[0], [[value] for value in data[1]]]},
    }
    for name, found in made.items():
        yield in_json(f"{name} in split", {"dataframe_split": found})


def _tensor_structures(rows: list[Row]) -> Iterator[Sent]:
    whole = columns(rows)["inputs"]
    first, *others = whole
    for key in ("inputs", "instances"):
        made: dict[str, Any] = {
            "rows as lists": [list(row.values()) for row in rows],
            "one row as a list": list(rows[0].values()),
            "one row as an object": rows[0],
            "one value for all rows": {**whole, first: whole[first][0]},
            "lists but one value": {**{name: [rows[0][name]] for name in others}, first: whole[first][0]},
            "column too short": {**whole, first: whole[first][:-1]},
            "column of one row beside three": {**whole, first: whole[first][:1]},
            "extra column too short": {**whole, "extra": [1]},
            "extra value for all rows": {**whole, "extra": 1},
            "columns without rows": {name: [] for name in whole},
            "column vectors": {name: [[value] for value in values] for name, values in whole.items()},
            "objects in columns": {name: {"0": values[0]} for name, values in whole.items()},
        }
        for name, found in made.items():
            yield in_json(f"{name} in {key}", {key: found})


def _texts(rows: list[Row]) -> Iterator[Sent]:
    """JSON that is not quite JSON, or not in UTF-8."""
    plain = json.dumps(split(rows)).encode()
    yield Sent("JSON: nothing", b"")
    yield Sent("JSON: spaces around", b" \n" + plain + b"\r\n ")
    yield Sent("JSON: a byte order mark", b"\xef\xbb\xbf" + plain)
    yield Sent("JSON: in UTF-16", plain.decode().encode("utf-16"))
    yield Sent("JSON: in UTF-32", plain.decode().encode("utf-32"))
    yield Sent("JSON: in Latin-1", json.dumps(split(rows) | {"é": "ã"}, ensure_ascii=False).encode("latin-1"))
    yield Sent("JSON: cut off", plain[:-5])
    yield Sent("JSON: more behind it", plain + b"{}")
    yield Sent("JSON: single quotes", plain.replace(b'"', b"'"))
    yield Sent("JSON: a comma too many", plain[:-1] + b",}")
    yield Sent("JSON: a comment", b"// rows\n" + plain)
    yield Sent("JSON: a key twice", b'{"dataframe_split": [], ' + plain[1:])
    yield Sent("JSON: a text", b'"rows"')
    yield Sent("JSON: null", b"null")
    yield Sent("JSON: nested 500 deep", plain[:-1] + b', "deep": ' + b"[" * 500 + b"]" * 500 + b"}")
    yield Sent("JSON: nested 100,000 deep", b'{"inputs": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    deep = b"[" * 100_000 + b"]" * 100_000
    yield Sent("JSON: columns nested 100,000 deep", b'{"dataframe_split": {"columns": ' + deep + b', "data": []}}')
    yield Sent("JSON: objects 100,000 deep", b'{"a":' * 100_000 + b"1" + b"}" * 100_000)
    yield Sent("JSON: a number of 5,000 digits", plain[:-1] + b', "other": ' + b"1" * 5_000 + b"}")
    for kind in CONTENT_TYPES:
        yield Sent(f"content type {kind!r}", plain, kind)
