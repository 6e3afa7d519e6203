from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shipped import Shipped
from trilho.bundle import Field, Predictions, Schema
from trilho.errors import CannotPredict
from trilho.serving.payload import read_json, write_json


def field(name: str, kind: str, dtype: str = "") -> Field:
    return Field(name=name, kind=kind, nullable=True, dtype=dtype)


SMALL = Schema(
    task="classification",
    target="y",
    fields=(
        field("age", "number", "float64"),
        field("city", "category", "str"),
        field("member", "boolean", "bool"),
        field("since", "time", "datetime64[ns]"),
        field("code", "category", "category:int64"),
    ),
)
ROW: dict[str, Any] = {"age": 41.5, "city": "Recife", "member": True, "since": "2026-01-31T12:00:00", "code": 3}


def split(*rows: dict[str, Any]) -> dict[str, Any]:
    names = list(rows[0])
    return {"dataframe_split": {"columns": names, "data": [[row[name] for name in names] for row in rows]}}


def body(found: Any) -> bytes:
    return json.dumps(found).encode()


def frame_of(found: dict[str, np.ndarray]) -> pd.DataFrame:
    return pd.DataFrame(found)


@pytest.mark.parametrize(
    "form",
    [
        lambda rows: split(*rows),
        lambda rows: {"dataframe_records": rows},
        lambda rows: {"instances": rows},
        lambda rows: {"inputs": rows},
        lambda rows: {"inputs": {name: [row[name] for row in rows] for name in ROW}},
        lambda rows: {"instances": [[row[name] for name in SMALL.names] for row in rows]},
        lambda rows: {**split(*rows), "params": {"ignored": 1}, "other": None},
        lambda rows: {"dataframe_split": {**split(*rows)["dataframe_split"], "index": [7, 8]}},
        lambda rows: split(*[dict(reversed(list({**row, "unknown": 0}.items()))) for row in rows]),
        lambda rows: {"instances": {name: [row[name] for row in rows] for name in ROW}},
        lambda rows: {"inputs": {name: {"7": rows[0][name], "3": rows[1][name]} for name in ROW}},
        lambda rows: {
            "inputs": {name: rows[0][name] if name == "code" else [row[name] for row in rows] for name in ROW}
        },
        lambda rows: {"dataframe_split": {"data": {name: [row[name] for row in rows] for name in ROW}}},
        lambda rows: {"dataframe_split": {"columns": list(ROW), "data": rows}},
        lambda rows: {"dataframe_split": {"data": [[row[name] for name in SMALL.names] for row in rows]}},
        lambda rows: {
            "dataframe_split": {
                "columns": [*SMALL.names, 5, None, "x", "x"],
                "data": [[*(row[name] for name in SMALL.names), 1, 2, 3, 4] for row in rows],
            }
        },
        lambda rows: {"dataframe_records": [{**rows[0], "extra": [1]}, {**rows[1], "other": {}}]},
    ],
)
def test_every_form_of_the_protocol_gives_the_same_columns(form: Any) -> None:
    rows = [ROW, {**ROW, "age": 7, "city": None, "member": False}]
    found = read_json(body(form(rows)), SMALL)
    assert list(found) == list(SMALL.names)
    assert found["age"].tolist() == [41.5, 7.0]
    assert found["city"].tolist() == ["Recife", None]
    assert found["member"].tolist() == [1.0, 0.0]
    assert found["since"].tolist() == [np.datetime64("2026-01-31T12:00:00", "ns").astype("int64")] * 2
    assert found["code"].tolist() == [3.0, 3.0]


def test_every_table_reads_as_the_frame_it_came_from(shipped: Shipped) -> None:
    frame = shipped.frame[:50]
    sent = json.dumps({"dataframe_split": json.loads(frame.to_json(orient="split", double_precision=15))})
    found = shipped.predictor.predict(read_json(sent.encode(), shipped.schema))
    assert found.labels.tolist() == shipped.answers(frame).labels.tolist()


def test_missing_value_is_null_or_what_python_writes_for_it() -> None:
    assert np.isnan(read_json(body(split({**ROW, "age": None})), SMALL)["age"][0])
    assert np.isnan(read_json(body(split({**ROW, "age": float("nan")})), SMALL)["age"][0])
    records = {"dataframe_records": [ROW, {name: value for name, value in ROW.items() if name != "age"}]}
    assert np.isnan(read_json(body(records), SMALL)["age"][1]), "absent in one record only"


def test_number_in_quotes_is_that_number() -> None:
    assert read_json(body(split({**ROW, "age": " 1.5", "code": "4"})), SMALL)["age"].tolist() == [1.5]


def test_number_for_a_category_is_its_word() -> None:
    assert read_json(body(split({**ROW, "city": 10}, {**ROW, "city": 2.0})), SMALL)["city"].tolist() == ["10", "2"]


def test_missing_column_is_refused_and_named() -> None:
    short = {name: value for name, value in ROW.items() if name != "city"}
    with pytest.raises(CannotPredict, match="'city'") as caught:
        read_json(body(split(short)), SMALL)
    assert caught.value.column == "city"
    assert "age, member" in caught.value.why


def test_all_missing_columns_are_named_and_the_near_one_that_was_given() -> None:
    row = {"City": "Recife", "member": True, "code": 3}
    with pytest.raises(CannotPredict, match="column 'age' is not in the request, nor are 'city', 'since'"):
        read_json(body(split(row)), SMALL)
    with pytest.raises(CannotPredict, match=r"Was 'City' meant for 'city'\?"):
        read_json(body(split({**row, "age": 1, "since": None})), SMALL)


def test_columns_by_index_must_share_it() -> None:
    rows = {name: {"0": value, "1": value} for name, value in ROW.items()}
    with pytest.raises(CannotPredict, match="column 'code' has another index") as caught:
        read_json(body({"dataframe_split": {"data": {**rows, "code": {"0": 1, "2": 1}}}}), SMALL)
    assert caught.value.column == "code"


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("age", "old"),
        ("age", [1]),
        ("age", {"a": 1}),
        ("age", 10**400),
        ("city", ["Recife"]),
        ("member", "perhaps"),
        ("since", "yesterday"),
        ("since", True),
        ("code", "three"),
    ],
)
def test_wrong_value_is_refused_with_its_column_and_row(column: str, value: Any) -> None:
    with pytest.raises(CannotPredict) as caught:
        read_json(body(split(ROW, ROW, {**ROW, column: value})), SMALL)
    assert (caught.value.column, caught.value.row) == (column, 2)
    assert f"'{column}', row 2" in caught.value.what


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "not JSON"),
        (b"{", "not JSON"),
        (b'{"inputs": "\xff"}', "UTF-8"),
        (b"[1, 2]", "it is a list"),
        (b"{}", "exactly one of"),
        (b'{"columns": ["a"], "data": [[1]]}', "'columns', 'data'"),
        (b'{"inputs": [], "instances": []}', "exactly one of"),
        (b'{"dataframe_split": [[1]]}', "must be an object"),
        (b'{"dataframe_split": {"columns": ["a"]}}', "must be an object"),
        (b'{"dataframe_split": {"columns": "age", "data": []}}', "list of names"),
        (b'{"dataframe_split": {"columns": [["age"]], "data": []}}', "list of names"),
        (b'{"dataframe_split": {"columns": ["age"], "data": [], "dtype": 1}}', "not dtype"),
        (b'{"dataframe_split": {"columns": ["age", "age"], "data": [[1, 2]]}}', "'age' appears more than once"),
        (b'{"dataframe_split": {"columns": ["age", "city"], "data": [[1, "a"], [2]]}}', "Row 1 has 1 values"),
        (b'{"dataframe_records": {"age": 1}}', "list of objects"),
        (b'{"dataframe_records": [1]}', "list of objects"),
        (b'{"instances": 5}', "list of rows"),
        (b'{"instances": [[1, 2]]}', "Row 0 has 2 values; there are 5 columns"),
        (b'{"inputs": {"age": [1, 2], "city": ["a"], "member": 1, "since": 1, "code": 1}}', "'city' has 1 rows"),
        (b"[" * 100_000, "nested"),
        (b'{"inputs": ' + b"[" * 2_000 + b"]" * 2_000 + b"}", ""),
    ],
)
def test_malformed_body_is_refused_with_a_sentence(sent: bytes, said: str) -> None:
    with pytest.raises(CannotPredict, match="." if not said else None) as caught:
        read_json(sent, SMALL)
    assert said in caught.value.what
    assert "dataframe_split" in caught.value.remedy or caught.value.column


@pytest.mark.parametrize(
    "sent",
    [
        {"dataframe_split": {"columns": list(SMALL.names), "data": []}},
        {"dataframe_records": []},
        {"inputs": []},
        {"instances": []},
    ],
)
def test_no_rows_are_columns_without_rows(sent: dict[str, Any]) -> None:
    found = read_json(body(sent), SMALL)
    assert {name: len(values) for name, values in found.items()} == dict.fromkeys(SMALL.names, 0)


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (np.array([0, 1]), '{"predictions":[0,1]}'),
        (np.array([True]), '{"predictions":[true]}'),
        (np.array([0.1, 2.0]), '{"predictions":[0.1,2.0]}'),
        (np.array(["é"], dtype=object), '{"predictions":["é"]}'),
        (np.array([], dtype="int64"), '{"predictions":[]}'),
    ],
)
def test_predictions_are_written_as_mlflow_writes_them(labels: np.ndarray, text: str) -> None:
    assert write_json(Predictions(labels=labels)).decode() == text
