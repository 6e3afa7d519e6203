"""Whatever comes: canonical columns of one length, or CannotPredict. Nothing else."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho.bundle import Field, Schema
from trilho.bundle.columns import canonical, is_numeric
from trilho.errors import CannotPredict
from trilho.serving.payload import READERS

KINDS = {"age": "number", "city": "category", "member": "boolean", "since": "time", "note": "text", "scan": "image"}
DTYPES = {"age": "float64", "city": "str", "member": "bool", "since": "datetime64[ns]", "note": "str", "scan": ""}
SCHEMA = Schema(
    task="regression",
    target="y",
    fields=tuple(Field(name=name, kind=kind, nullable=True, dtype=DTYPES[name]) for name, kind in KINDS.items()),
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.floats()
    | st.integers()
    | st.integers(-(10**400), 10**400)
    | st.text(max_size=5)
    | st.sampled_from(["1.5", "true", "2026-01-31", "2026-01-31T12:00:00+02:00", "aGk=", "NaN", "1_0"])
)
NAMES = st.sampled_from([*SCHEMA.names, *SCHEMA.names, "other", "columns", "data", "index"])
TREES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=12)
ROWS = st.lists(st.fixed_dictionaries(dict.fromkeys(SCHEMA.names, SCALARS)), max_size=3)
KEYS = st.sampled_from(["dataframe_split", "dataframe_records", "inputs", "instances"])


def teaches(error: CannotPredict) -> None:
    assert error.what
    assert error.remedy
    json.dumps([error.what, error.why, error.column], ensure_ascii=False).encode()  # it can be sent


def checked(body: bytes, content_type: str) -> dict[str, np.ndarray] | None:
    """The columns, if they could be read; canonical ones."""
    try:
        found = READERS[content_type](body, SCHEMA)
    except CannotPredict as error:
        teaches(error)
        return None
    assert list(found) == list(SCHEMA.names)
    assert len({len(values) for values in found.values()}) == 1
    for field in SCHEMA.fields:
        values = found[field.name]
        assert values.ndim == 1
        assert canonical(field, values) is values or field.kind == "time", "nothing is left to convert"
        if is_numeric(field):
            assert values.dtype == np.float64
        elif field.kind == "time":
            assert values.dtype == np.dtype("datetime64[ns]")
        else:
            assert all(value is None or type(value) is (bytes if field.kind == "image" else str) for value in values)
    if np.isfinite(found["member"]).any():
        assert set(found["member"][np.isfinite(found["member"])]) <= {0.0, 1.0}
    return found


@given(TREES, KEYS)
def test_any_json_under_a_key_is_read_or_refused(found: Any, key: str) -> None:
    checked(json.dumps({key: found}).encode(), "application/json")


@given(ROWS, st.sampled_from(["records", "columns", "lists", "split"]), KEYS)
def test_any_rows_are_read_or_refused(rows: list[dict[str, Any]], form: str, key: str) -> None:
    by_column = {name: [row[name] for row in rows] for name in SCHEMA.names}
    lists = [list(row.values()) for row in rows]
    made = {"records": rows, "columns": by_column, "lists": lists}.get(form, {"columns": list(KINDS), "data": lists})
    found = checked(json.dumps({key: made}).encode(), "application/json")
    if found is not None:
        assert {len(values) for values in found.values()} == {len(rows)}


@given(TREES)
def test_any_json_is_read_or_refused(found: Any) -> None:
    checked(json.dumps(found).encode(), "application/json")


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode(errors="surrogatepass")))
@pytest.mark.parametrize("content_type", list(READERS))
def test_any_bytes_are_read_or_refused(content_type: str, body: bytes) -> None:
    checked(body, content_type)


@given(st.lists(st.lists(st.text(max_size=4) | st.sampled_from(["1", "true", "2026", "aGk=", "NA"]), max_size=8)))
def test_any_csv_is_read_or_refused(rows: list[list[str]]) -> None:
    lines = [",".join(KINDS), *(",".join(cells) for cells in rows)]
    checked("\n".join(lines).encode(errors="surrogatepass"), "text/csv")


@pytest.mark.parametrize("opening", [b"[", b'{"inputs": ', b'{"dataframe_split": {"data": [', b'{"a": ['])
def test_deep_nesting_is_refused(opening: bytes) -> None:
    assert checked(opening * 50_000, "application/json") is None
    closing = re.sub(rb"[^\[{]", b"", opening)[::-1].translate(bytes.maketrans(b"[{", b"]}"))
    assert checked(opening * 50_000 + b"1" + closing * 50_000, "application/json") is None


@pytest.mark.parametrize("half", [b'"\\ud83d"', b'{"\\ud83d": 1}', b'"\\udc00x"'])
def test_half_a_surrogate_pair_is_refused(half: bytes) -> None:
    assert checked(b'{"inputs": [' + half + b"]}", "application/json") is None
    assert checked(b'{"inputs": [], "other": ' + half + b"}", "application/json") is None


def test_a_text_that_only_looks_like_a_surrogate_is_read() -> None:
    row = dict.fromkeys(SCHEMA.names) | {"age": float("nan"), "city": "C:\\users", "note": "\U0001f600 \\ud83d"}
    found = checked(json.dumps({"inputs": [row]}).encode(), "application/json")
    assert found is not None
    assert (found["city"][0], found["note"][0]) == ("C:\\users", "\U0001f600 \\ud83d")
