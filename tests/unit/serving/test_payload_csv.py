from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from shipped import Shipped
from trilho.bundle import Field, Schema
from trilho.data.missing_words import MISSING_WORDS
from trilho.errors import CannotPredict
from trilho.serving.payload import read_csv

KINDS = {"age": "number", "city": "category", "member": "boolean", "since": "time", "code": "category"}
DTYPES = {"age": "float64", "city": "str", "member": "bool", "since": "datetime64[ns]", "code": "category:int64"}
SMALL = Schema(
    task="classification",
    target="y",
    fields=tuple(Field(name=name, kind=kind, nullable=True, dtype=DTYPES[name]) for name, kind in KINDS.items()),
)
NUMBERS = Schema(
    task="regression",
    target="y",
    fields=tuple(Field(name=name, kind="number", nullable=True, dtype="float64") for name in ("a", "b")),
)


def test_every_table_reads_from_csv_as_pandas_reads_it(shipped: Shipped) -> None:
    sent = shipped.frame[:50].to_csv(index=False)
    found = shipped.predictor.predict(read_csv(sent.encode(), shipped.schema))
    assert found.labels.tolist() == shipped.answers(pd.read_csv(io.StringIO(sent))).labels.tolist()


def test_csv_is_read_with_missing_values_and_quotes() -> None:
    sent = 'city,age,member,since,code,more\n"Itu, ""SP""",1.5,True,2026-01-31,3,x\nNA,,false,,,\n'
    for mark in (b"", b"\xef\xbb\xbf"):
        found = read_csv(mark + sent.encode(), SMALL)
        assert found["city"].tolist() == ['Itu, "SP"', None]
        np.testing.assert_array_equal(found["age"], [1.5, np.nan])
        np.testing.assert_array_equal(found["member"], [1.0, 0.0])
        np.testing.assert_array_equal(found["code"], [3.0, np.nan])


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"age,city\n1\n", "Row 0 has 1 values; there are 2 columns"),
        (b'age\n"1', "not CSV"),
        (b"age\n\xff", "UTF-8"),
        (b"age,city,member,since,code\n1,a,true,,x\n", "'code', row 0"),
    ],
)
def test_malformed_csv_is_refused_with_a_sentence(sent: bytes, said: str) -> None:
    with pytest.raises(CannotPredict) as caught:
        read_csv(sent, SMALL)
    assert said in caught.value.what


def test_words_for_a_missing_value_are_those_that_training_data_is_read_by() -> None:
    from pandas._libs.parsers import STR_NA_VALUES

    assert MISSING_WORDS == STR_NA_VALUES


def rows(text: str) -> list[tuple[float, ...]]:
    found = read_csv(text.encode(), NUMBERS)
    return list(zip(found["a"].tolist(), found["b"].tolist(), strict=True))


@pytest.mark.parametrize(
    "text",
    [
        "a,b\n1.5,2\n3,4\n",
        "a,b\r\n1.5,2\r\n3,4",
        "a,b\r1.5,2\r3,4\r",
        "\n\na,b\n\n1.5,2\n   \n3,4\n\n",
        'b,"a",extra\n2,"1.5",x\n4, 3 ,"y\nz"\n',
        ",a,b\n0,1.5,2\n1,3,4\n",
        "a,b,a,a\n1.5,2,7,7\n3,4,8,8\n",
    ],
)
def test_lines_and_columns_are_found_as_pandas_finds_them(text: str) -> None:
    assert rows(text) == [(1.5, 2.0), (3.0, 4.0)]
    frame = pd.read_csv(io.StringIO(text))
    assert list(zip(frame["a"].astype(float), frame["b"].astype(float), strict=True)) == rows(text)


@pytest.mark.parametrize("word", ["1.5", "+1.5", " 1.5", "1.5 ", "01.5", "1.50", ".15e1", "15e-1", "１.5"])
def test_a_number_is_read_however_it_is_written(word: str) -> None:
    assert rows(f"a,b\n2,{word}\n") == [(2.0, 1.5)]


@pytest.mark.parametrize("word", ['"1,5"', "1;5", "1.5]", "[1.5", '"[1,2]"', "x", "0x10", "1 5", "true"])
def test_what_is_no_number_is_named_by_column_and_row(word: str) -> None:
    with pytest.raises(CannotPredict, match="Column 'b', row 1") as caught:
        rows(f"a,b\n1,2\n3,{word}\n")
    assert (caught.value.column, caught.value.row) == ("b", 1)


def test_numbers_are_read_to_the_last_digit() -> None:
    values = np.random.default_rng(0).normal(size=(100, 2)) * 10.0 ** np.arange(-50, 50)[:, None]
    text = pd.DataFrame(values, columns=["a", "b"]).to_csv(index=False)
    np.testing.assert_array_equal(np.array(rows(text)), values)


def test_repeated_column_counts_with_its_first_values() -> None:
    assert rows("a,b,a\n1,2,99\n") == [(1.0, 2.0)]
