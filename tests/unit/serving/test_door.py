from __future__ import annotations

import base64
import json
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pages import MODELS, png
from trilho.bundle import Field, Predictor, Schema
from trilho.errors import CannotPredict
from trilho.serving.door.rows import Rows, typical_row
from unit.serving.knocking import door_of, form, knock

ModelOf = Callable[[str], Predictor]
TABLES = [name for name in MODELS if name != "scans"]


@pytest.mark.parametrize("name", TABLES)
def test_typical_row_is_answered_as_the_predictor_answers_it(name: str, model_of: ModelOf) -> None:
    predictor = model_of(name)
    row = typical_row(predictor.schema)
    answer = knock(door_of(predictor), "POST", "/predict", row)
    assert answer.status == 200, answer.body
    wanted = predictor.predict(Rows(predictor.schema, most=9).take(row))
    [one] = answer.json["predictions"]
    assert one["prediction"] == wanted.labels.tolist()[0]
    assert (answer.json["model"], answer.json["version"]) == ("tried", "12")
    assert one["id"] == f"{answer.headers['x-prediction-id']}-0"
    if predictor.schema.labels:
        assert wanted.probabilities is not None
        names = predictor.schema.label_names
        assert one["label"] == names[predictor.schema.labels.index(one["prediction"])]
        assert one["probabilities"] == pytest.approx(dict(zip(names, wanted.probabilities[0], strict=True)))
    else:
        assert "label" not in one
        assert "probabilities" not in one


def test_rows_of_a_list_are_answered_in_order_and_have_ids_of_their_own(model_of: ModelOf) -> None:
    predictor = model_of("breast-cancer")
    low, high = typical_row(predictor.schema), {field.name: field.maximum for field in predictor.schema.fields}
    answer = knock(door_of(predictor), "POST", "/predict", [low, high, low])
    found = answer.json["predictions"]
    assert [one["label"] for one in found] == ["benign", "malignant", "benign"]
    assert [one["id"].rpartition("-")[2] for one in found] == ["0", "1", "2"]


def test_no_rows_are_answered_by_none(model_of: ModelOf) -> None:
    assert knock(door_of(model_of("breast-cancer")), "POST", "/predict", []).json["predictions"] == []


@pytest.mark.parametrize(
    ("change", "column", "says"),
    [
        ({"income": "much"}, "income", "'much' is not a number"),
        ({"income": True}, "income", "True is not a number"),
        ({"age": "30"}, "age", "'30' is not a number"),
        ({"member": 1}, "member", "1 is not true or false"),
        ({"city": 7}, "city", "7 is not a text"),
        ({"since": "yesterday"}, "since", "'yesterday' is not a time"),
        ({"incone": 1.0}, "incone", "the model has no such column"),
        ({"income": 1e300}, "income", "beyond"),
    ],
)
def test_wrong_value_is_refused_with_its_column_and_row(
    change: dict[str, object], column: str, says: str, model_of: ModelOf
) -> None:
    row = typical_row(model_of("customers").schema)
    answer = knock(door_of(model_of("customers")), "POST", "/predict", [row, {**row, **change}])
    assert answer.status == 400
    assert answer.json["error_code"] == "INVALID_PARAMETER_VALUE"
    assert says in answer.json["message"]
    assert answer.json["details"]["column"] == column
    assert answer.json["details"]["row"] == 1
    assert answer.json["details"]["remedy"]


def test_misspelt_column_is_told_the_near_one(model_of: ModelOf) -> None:
    row = typical_row(model_of("customers").schema)
    row["incone"] = row.pop("income")
    answer = knock(door_of(model_of("customers")), "POST", "/predict", row)
    assert "Did you mean 'income'?" in answer.json["details"]["remedy"]


def test_missing_column_is_named(model_of: ModelOf) -> None:
    row = typical_row(model_of("customers").schema)
    del row["city"]
    answer = knock(door_of(model_of("customers")), "POST", "/predict", row)
    assert (answer.status, answer.json["details"]["column"]) == (400, "city")
    assert "'city', row 0 is missing" in answer.json["message"]


def test_null_is_taken_where_the_model_takes_it_and_refused_where_not(model_of: ModelOf) -> None:
    row = typical_row(model_of("customers").schema)
    assert knock(door_of(model_of("customers")), "POST", "/predict", {**row, "income": None}).status == 200
    full = typical_row(model_of("breast-cancer").schema)
    answer = knock(door_of(model_of("breast-cancer")), "POST", "/predict", {**full, "mean area": None})
    assert answer.status == 400
    assert "takes no missing value" in answer.json["message"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"7",
        b'"row"',
        b"{",
        b"[[1, 2]]",
        b"[1]",
        b"\xff\xfe",
        b"[" * 5000,
        b'{"a": ' * 5000,
        b"\x00",
        b"{}x",
    ],
)
def test_what_are_no_rows_is_refused(body: bytes, model_of: ModelOf) -> None:
    headers = {"content-type": "application/json"}
    answer = knock(door_of(model_of("breast-cancer")), "POST", "/predict", body, headers)
    assert answer.status == 400
    assert answer.json["error_code"] == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 400])
def test_numbers_that_are_not_finite_are_refused(number: str, model_of: ModelOf) -> None:
    row = json.dumps(typical_row(model_of("progression").schema)).encode()
    first = model_of("progression").schema.names[0]
    body = row.replace(f'"{first}": '.encode(), f'"{first}": {number}, "{first}": {number}, "": '.encode())
    answer = knock(door_of(model_of("progression")), "POST", "/predict", body, {"content-type": "application/json"})
    assert answer.status == 400


def test_other_content_types_methods_and_paths_are_refused_in_the_same_form(model_of: ModelOf) -> None:
    door = door_of(model_of("progression"))
    assert knock(door, "POST", "/predict", b"a,b\n1,2\n", {"content-type": "text/csv"}).status == 415
    assert knock(door, "POST", "/predict", b"{}").status == 415
    for method, path, status in (("GET", "/predict", 405), ("POST", "/", 405), ("GET", "/nothing", 404)):
        answer = knock(door, method, path)
        assert answer.status == status
        assert answer.json["error_code"]
        assert path in answer.json["message"]


def test_too_many_bytes_and_too_many_rows_are_refused(model_of: ModelOf) -> None:
    door = door_of(model_of("progression"), body_bytes=2000, most_rows=2)
    row = typical_row(model_of("progression").schema)
    assert knock(door, "POST", "/predict", [row, row]).status == 200
    answer = knock(door, "POST", "/predict", [row] * 3)
    assert (answer.status, "more than 2 rows" in answer.json["message"]) == (413, True)
    assert knock(door, "POST", "/predict", [row] * 100).status == 413


def test_twenty_thousand_rows_are_answered(model_of: ModelOf) -> None:
    row = typical_row(model_of("breast-cancer").schema)
    answer = knock(door_of(model_of("breast-cancer")), "POST", "/predict", [row] * 20_000)
    assert len(answer.json["predictions"]) == 20_000


def test_image_comes_in_as_a_file_and_as_base64(model_of: ModelOf) -> None:
    door = door_of(model_of("scans"))
    body, headers = form({"scan": png(240), "age": "61"})
    by_form = knock(door, "POST", "/predict", body, headers)
    assert by_form.status == 200, by_form.body
    by_json = knock(door, "POST", "/predict", {"scan": base64.b64encode(png(240)).decode(), "age": 61})
    assert by_form.json["predictions"][0]["label"] == by_json.json["predictions"][0]["label"] == "light"
    dark, headers = form({"scan": png(20), "age": ""})
    assert knock(door, "POST", "/predict", dark, headers).json["predictions"][0]["label"] == "dark"


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        ({"scan": b"not an image", "age": "1"}, "no image file"),
        ({"scan": png(3)[:60], "age": "1"}, "The model refuses the row: OSError"),
        ({"scan": "te?xt", "age": "1"}, "base64"),
        ({"age": "1"}, "'scan', row 0 is missing"),
        ({"scan": png(3), "age": "old"}, "'old' is not a number"),
        ({"scan": png(3), "age": b"file"}, "takes no file"),
        ({"scan": png(3), "age": "1", "more": "x"}, "no such column"),
        ({"scan": png(3), "age": "1", "more": b"x"}, "no column 'more'"),
    ],
)
def test_wrong_part_of_a_form_is_refused(parts: dict[str, str | bytes], says: str, model_of: ModelOf) -> None:
    body, headers = form(parts)
    answer = knock(door_of(model_of("scans")), "POST", "/predict", body, headers)
    assert answer.status == 400
    assert says in answer.json["message"]
    assert answer.json["details"]["column"] in ("scan", "age", "more")


@pytest.mark.parametrize("body", [b"", b"--border", b"--border\r\n\r\n\r\n--border--", b"\x00" * 100])
def test_broken_form_is_refused(body: bytes, model_of: ModelOf) -> None:
    for header in ("multipart/form-data; boundary=border", "multipart/form-data", "multipart/form-data; boundary="):
        answer = knock(door_of(model_of("scans")), "POST", "/predict", body, {"content-type": header})
        assert answer.status == 400


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.97])
def test_half_a_form_is_refused_and_not_filled_with_nulls(share: float, model_of: ModelOf) -> None:
    predictor = model_of("customers")
    body, headers = form({name: str(value) for name, value in typical_row(predictor.schema).items()})
    answer = knock(door_of(predictor), "POST", "/predict", body[: int(share * len(body))], headers)
    assert answer.status == 400
    assert "ends before the form does" in answer.json["message"] or "not a form" in answer.json["message"]


def test_form_with_texts_is_read_by_kind(model_of: ModelOf) -> None:
    predictor = model_of("customers")
    row = typical_row(predictor.schema)
    texts = {name: {True: "true", False: "FALSE"}.get(value, str(value)) for name, value in row.items()}
    body, headers = form({**texts, "income": ""})
    found = knock(door_of(predictor), "POST", "/predict", body, headers)
    wanted = knock(door_of(predictor), "POST", "/predict", {**row, "income": None})
    assert found.status == 200, found.body
    assert found.json["predictions"][0]["probabilities"] == wanted.json["predictions"][0]["probabilities"]


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_comes_only_cannot_predict_escapes_and_columns_are_canonical(
    data: st.DataObject, model_of: ModelOf
) -> None:
    schema = model_of("customers").schema
    row = typical_row(schema)
    changes = data.draw(st.dictionaries(st.sampled_from([*schema.names, "other"]), JSON, max_size=2))
    found: object = data.draw(st.sampled_from([{**row, **changes}, [row, {**row, **changes}]]) | JSON)
    try:
        columns = Rows(schema, most=50).read(json.dumps(found).encode())
    except CannotPredict:
        return
    assert columns is not None
    numeric = ("number", "boolean")
    assert all(columns[field.name].dtype == np.float64 for field in schema.fields if field.kind in numeric)
    assert len({len(values) for values in columns.values()}) == 1


def test_closed_category_of_numbers_takes_its_numbers_and_null_alone() -> None:
    field = Field(name="grade", kind="category", nullable=True, closed=True, dtype="int64", values=("1", "2"))
    rows = Rows(Schema(task="regression", target="y", fields=(field,)), most=9)
    assert rows.take({"grade": 1.0})["grade"].tolist() == [1.0]
    assert np.isnan(rows.take({"grade": None})["grade"]).all()
    for wrong in (b'{"grade": 3}', b'{"grade": "1"}'):
        with pytest.raises(CannotPredict, match="grade"):
            rows.read(wrong)
    assert rows.json_schema()["properties"]["grade"]["anyOf"][0]["enum"] == [1.0, 2.0]


def test_closed_category_of_words_names_what_it_takes() -> None:
    field = Field(name="plan", kind="category", nullable=False, closed=True, dtype="str", values=("a", "b"))
    rows = Rows(Schema(task="regression", target="y", fields=(field,)), most=9)
    with pytest.raises(CannotPredict, match="'c' is not one of: a, b"):
        rows.read(b'{"plan": "c"}')
