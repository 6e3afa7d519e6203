"""The short way in must never say anything else than the long one."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipped import Shipped
from trilho.bundle import Field, Predictions, Predictor
from trilho.bundle.columns import is_numeric
from trilho.errors import CannotPredict
from trilho.journal.features import columns_of
from trilho.serving.express import Express
from trilho.serving.payload import read_json


def body_of(columns: list[str], rows: list[list[Any]], **more: Any) -> bytes:
    return json.dumps({"dataframe_split": {"columns": columns, "data": rows, **more}}).encode()


def value_of(field: Field) -> st.SearchStrategy[Any]:
    """What clients send for a column: mostly what it takes, sometimes what it does not."""
    null, odd = st.none(), st.sampled_from([True, "7", "", [1], {}, 2**70, -1e308])
    if is_numeric(field):
        fitting = st.booleans() if field.kind == "boolean" else st.floats(-1e6, 1e6) | st.integers(-1000, 1000)
        return st.one_of(fitting, fitting, fitting, null, odd)
    known = st.sampled_from(field.values or ("a",))
    return st.one_of(known, known, st.text(max_size=5), null, odd)


def answered(predictor: Predictor, matrix: np.ndarray) -> Predictions | None:
    if predictor.runtime == "native":
        return predictor.predict_matrix(matrix)
    with np.errstate(over="ignore"):  # as a worker does
        return predictor.predict_coded(matrix)


def refuses(predictor: Predictor, matrix: np.ndarray, wanted: CannotPredict) -> None:
    """A compiled model leaves it to the long way to say why; a native one says the same."""
    if predictor.runtime != "native":
        assert answered(predictor, matrix) is None
        return
    with pytest.raises(CannotPredict) as found:
        answered(predictor, matrix)
    assert str(found.value) == str(wanted)


@settings(max_examples=40)
@given(data=st.data())
def test_both_ways_answer_and_journal_alike(shipped: Shipped, data: st.DataObject) -> None:
    predictor = shipped.predictor
    fields = data.draw(st.permutations(shipped.schema.fields))
    rows = data.draw(st.lists(st.tuples(*(value_of(field) for field in fields)).map(list), min_size=1, max_size=12))
    body = body_of([field.name for field in fields], rows)
    express = Express(predictor)
    for _ in range(2):  # the second time the order of the columns is known
        found = express.read(body)
        if found is None:
            continue
        matrix, features = found
        columns = read_json(body, shipped.schema)
        try:
            long = predictor.predict(columns)
        except CannotPredict as error:
            refuses(predictor, matrix, error)
            continue
        short = answered(predictor, matrix)
        assert short is not None
        assert short.labels.tolist() == long.labels.tolist()
        np.testing.assert_array_equal(short.probabilities, long.probabilities)
        journaled = columns_of(features)
        assert list(journaled) == list(shipped.schema.names)
        for name, values in columns.items():
            np.testing.assert_array_equal(journaled[name], values)


@pytest.fixture
def express(words: Shipped) -> Express:
    return Express(words.predictor)


def rows_of(words: Shipped, count: int = 3) -> tuple[list[str], list[list[Any]]]:
    split = json.loads(words.frame[:count].to_json(orient="split", double_precision=15))
    return split["columns"], split["data"]


def test_body_as_pandas_writes_it_is_taken(words: Shipped, express: Express) -> None:
    columns, rows = rows_of(words)
    found = express.read(body_of(columns, rows, index=[0, 1, 2]))
    assert found is not None
    assert found[0].shape == (3, len(columns))


def test_many_rows_and_few_become_the_same_matrix(words: Shipped, express: Express) -> None:
    columns, rows = rows_of(words, 40)
    whole = express.read(body_of(columns, rows))
    assert whole is not None
    for place, row in enumerate(rows):
        alone = express.read(body_of(columns, [row]))
        assert alone is not None
        np.testing.assert_array_equal(alone[0][0], whole[0][place])


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body["dataframe_split"]["columns"].append("one more"),
        lambda body: body["dataframe_split"]["columns"].pop(),
        lambda body: body["dataframe_split"]["data"][1].append(1),
        lambda body: body["dataframe_split"]["data"][1].pop(),
        lambda body: body["dataframe_split"]["data"].clear(),
        lambda body: body["dataframe_split"].update(more=1),
        lambda body: body.update(params={}),
        lambda body: body.update(inputs=body.pop("dataframe_split")),
        lambda body: body["dataframe_split"].pop("columns"),
        lambda body: body["dataframe_split"]["data"].__setitem__(0, {}),
    ],
)
def test_whatever_is_unusual_takes_the_long_way(words: Shipped, express: Express, change: Any) -> None:
    columns, rows = rows_of(words)
    assert express.read(body_of(columns, rows)) is not None
    body = {"dataframe_split": {"columns": list(columns), "data": [list(row) for row in rows]}}
    change(body)
    assert express.read(json.dumps(body).encode()) is None
    assert express.read(body_of(columns, rows)) is not None, "and the next usual one the short way again"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b'{"dataframe_split": 1}', b"[" * 100_000])
def test_body_that_is_none_takes_the_long_way(express: Express, body: bytes) -> None:
    assert express.read(body) is None


def test_number_too_large_for_the_model_is_left_to_the_long_way(words: Shipped, express: Express) -> None:
    predictor = words.predictor
    columns, [row] = rows_of(words, 1)
    place = columns.index("income")

    def short(value: float) -> object:
        found = express.read(body_of(columns, [[*row[:place], value, *row[place + 1 :]]]))
        assert found is not None
        with np.errstate(over="ignore"):  # as a worker does
            return predictor.predict_coded(found[0])

    assert predictor.largest < 1e200, "a forest's numbers are halved to 32 bits"
    for value in (1e200, -1e200, math.nextafter(predictor.largest, math.inf)):
        assert short(value) is None
    assert short(predictor.largest) is not None, "in bounds, whatever its square adds to those of the others"
