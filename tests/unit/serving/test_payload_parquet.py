from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import parquet

from shipped import Shipped
from trilho.bundle import Field, Schema
from trilho.errors import CannotPredict
from trilho.serving.payload import read_parquet
from trilho.serving.payload.parquet_body import CELLS


def schema_of(**kinds: str) -> Schema:
    fields = [Field(name=name, kind=kind, nullable=True, dtype="float64") for name, kind in kinds.items()]
    return Schema(task="regression", target="y", fields=tuple(fields))


def body(**columns: Any) -> bytes:
    out = io.BytesIO()
    parquet.write_table(pa.table(columns), out)
    return out.getvalue()


def one(kind: str, column: Any) -> list[Any]:
    found = read_parquet(body(a=column), schema_of(a=kind if kind != "words" else "text"))["a"]
    return found.tolist()


def test_every_table_reads_from_parquet_as_the_frame_it_came_from(shipped: Shipped) -> None:
    out = io.BytesIO()
    shipped.frame[:50].to_parquet(out)
    found = shipped.predictor.predict(read_parquet(out.getvalue(), shipped.schema))
    assert found.labels.tolist() == shipped.answers(shipped.frame[:50]).labels.tolist()


@pytest.mark.parametrize(
    "column",
    [
        pa.array([1, 0, None], pa.int64()),
        pa.array([1, 0, None], pa.uint8()),
        pa.array([1, 0, None], pa.float32()),
        pa.array([1, 0, None], pa.float16()),
        pa.array([True, False, None]),
        pa.array([Decimal("1.00"), Decimal("0.00"), None]),
        pa.array(["1", " 0.0", None]),
        pa.array(["1", "0", None]).dictionary_encode(),
        pa.array([1.0, 0.0, None]).dictionary_encode(),
        pa.chunked_array([[1.0], [0.0, None]]),
    ],
    ids=lambda column: str(column.type),
)
def test_numbers_of_every_type_are_numbers(column: Any) -> None:
    np.testing.assert_array_equal(one("number", column), [1.0, 0.0, np.nan])
    np.testing.assert_array_equal(one("boolean", column), [1.0, 0.0, np.nan])


@pytest.mark.parametrize(
    "kind",
    [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.dictionary(pa.int8(), pa.string())],
    ids=str,
)
def test_texts_of_every_type_are_texts(kind: pa.DataType) -> None:
    assert one("words", pa.array(["São Paulo", None, ""]).cast(kind)) == ["São Paulo", None, ""]


@pytest.mark.parametrize("kind", ["number", "words", "time"])
def test_bytes_that_are_no_text_are_refused(kind: str) -> None:
    with pytest.raises(CannotPredict, match="not a Parquet file that can be read: Invalid UTF8"):
        one(kind, pa.array([b"\xff\xfe"]))


def test_row_groups_with_other_dictionaries_are_one_column() -> None:
    out = io.BytesIO()
    words = pa.table({"a": pa.array(["x", "y", None, "z", "x", None]).dictionary_encode()})
    parquet.write_table(words, out, row_group_size=2)
    assert read_parquet(out.getvalue(), schema_of(a="text"))["a"].tolist() == ["x", "y", None, "z", "x", None]


def test_number_in_a_column_of_texts_is_its_word() -> None:
    assert one("words", pa.array([10, None, 3])) == ["10", None, "3"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "America/Sao_Paulo"])
def test_moments_of_every_precision_and_zone_are_utc(unit: str, zone: str | None) -> None:
    column = pa.array([1_700_000_000, None]).cast(pa.timestamp("s")).cast(pa.timestamp(unit))
    column = column.cast(pa.int64()).cast(pa.timestamp(unit, zone))
    assert one("time", column)[0] == 1_700_000_000 * 10**9
    assert np.isnat(read_parquet(body(a=column), schema_of(a="time"))["a"][1])


def test_dates_and_texts_are_moments() -> None:
    assert one("time", pa.array([20_000], pa.int32()).cast(pa.date32())) == [20_000 * 86_400 * 10**9]
    assert one("time", pa.array(["1970-01-02"])) == [86_400 * 10**9]


def test_an_image_is_its_bytes() -> None:
    assert one("image", pa.array([b"\x89PNG", None], pa.binary())) == [b"\x89PNG", None]


@pytest.mark.parametrize(
    ("kind", "column"),
    [
        ("number", pa.array(["1", "x"])),
        ("number", pa.array([b"1", b"x"])),
        ("number", pa.array([[1.0], [2.0]])),
        ("number", pa.array([{"a": 1}, {"a": 2}])),
        ("number", pa.array([0, 1]).cast(pa.timestamp("ns"))),
        ("words", pa.array([0, 1]).cast(pa.timestamp("us"))),
        ("time", pa.array(["1970-01-01", "tomorrow"])),
        ("time", pa.array([2**61]).cast(pa.timestamp("ms"))),
        ("time", pa.array([0]).cast(pa.duration("s"))),
        ("image", pa.array([1.5])),
    ],
)
def test_another_type_is_refused_with_the_columns_name(kind: str, column: Any) -> None:
    with pytest.raises(CannotPredict, match="Column 'a'") as caught:
        one(kind, column)
    assert caught.value.column == "a"


def test_columns_are_found_by_name_and_others_are_not_read() -> None:
    found = read_parquet(
        body(**{"c": [[1], [2]], "b.x": [1, 2], "a": [3, 4]}), schema_of(a="number", **{"b.x": "text"})
    )
    assert list(found) == ["a", "b.x"]
    assert found["a"].tolist() == [3.0, 4.0]


def test_missing_and_repeated_columns_are_named() -> None:
    with pytest.raises(CannotPredict, match=r"'street' is not in the request(.|\n)*Given were: a, b"):
        read_parquet(body(a=[1], b=[2]), schema_of(a="number", street="text"))
    twice = io.BytesIO()
    parquet.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], names=["a", "a"]), twice)
    with pytest.raises(CannotPredict, match="'a' appears more than once"):
        read_parquet(twice.getvalue(), schema_of(a="number"))


def test_a_small_file_of_many_equal_rows_is_refused_before_it_is_read() -> None:
    rows = CELLS + 1
    column = pa.array([1], pa.int8()).take(pa.nulls(rows, pa.int8()).fill_null(0))
    bomb = body(a=column.dictionary_encode())
    assert len(bomb) < 100_000
    with pytest.raises(CannotPredict, match=f"holds {rows} rows"):
        read_parquet(bomb, schema_of(a="number"))


def test_a_long_text_that_many_rows_share_is_held_once() -> None:
    text = "x" * 1_000_000
    column = pa.DictionaryArray.from_arrays(pa.array(np.zeros(20_000, "int32")), pa.array([text]))
    found = read_parquet(body(a=column), schema_of(a="text"))["a"]
    assert len({id(value) for value in found}) == 1, "20 GB otherwise"


@pytest.mark.parametrize("sent", [b"", b"PAR1", b"PAR1" * 10, b"a,b\n1,2\n", body(a=[1.5])[:-9], b"\0" * 500])
def test_what_is_no_parquet_file_is_refused_with_a_sentence(sent: bytes) -> None:
    with pytest.raises(CannotPredict, match="not a Parquet file"):
        read_parquet(sent, schema_of(a="number"))


WHOLE = body(a=[1.5, None, 3.0], b=["x", "y", None], c=pa.array([0, 1, 2]).cast(pa.timestamp("us")))


@given(st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), max_size=6))
def test_any_damage_is_read_or_refused(damage: list[tuple[int, int]]) -> None:
    sent = bytearray(WHOLE)
    for place, value in damage:
        sent[place] = value
    with contextlib.suppress(CannotPredict):
        found = read_parquet(bytes(sent), schema_of(a="number", b="text", c="time"))
        assert len({len(values) for values in found.values()}) == 1


def test_a_file_is_read_without_pandas() -> None:
    script = """
import json, sys
from trilho.bundle import Field, Schema
from trilho.serving.payload import read_parquet
names = {"a": "number", "b": "text", "c": "time"}
fields = tuple(Field(name=name, kind=kind, nullable=True) for name, kind in names.items())
found = read_parquet(sys.stdin.buffer.read(), Schema(task="regression", target="y", fields=fields))
loaded = [name for name in ("pandas", "mlflow", "sklearn") if name in sys.modules]
print(json.dumps([loaded, found["b"].tolist()]))
"""
    done = subprocess.run([sys.executable, "-c", script], input=WHOLE, capture_output=True, check=True)
    assert json.loads(done.stdout) == [[], ["x", "y", None]]


def test_no_rows_are_columns_without_rows() -> None:
    empty = pd.DataFrame({"a": np.empty(0), "b": np.empty(0, dtype=object)})
    out = io.BytesIO()
    empty.to_parquet(out)
    found = read_parquet(out.getvalue(), schema_of(a="number", b="text"))
    assert [len(values) for values in found.values()] == [0, 0]
