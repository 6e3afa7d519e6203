from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho.bundle import Field, Schema
from trilho.errors import CannotPredict
from trilho.serving.payload import read_csv, read_json

NAT = np.datetime64("NaT", "ns")
PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


def column(kind: str, *values: Any) -> np.ndarray:
    field = Field(name="a", kind=kind, nullable=True, dtype="float64" if kind == "number" else "")
    schema = Schema(task="regression", target="y", fields=(field,))
    return read_json(
        json.dumps({"dataframe_split": {"columns": ["a"], "data": [[v] for v in values]}}).encode(), schema
    )["a"]


@given(st.lists(st.none() | st.integers(-(10**300), 10**300) | st.floats() | st.booleans()))
def test_numbers_are_what_python_takes_them_for(values: list[Any]) -> None:
    wanted = [float("nan") if value is None else float(value) for value in values]
    np.testing.assert_array_equal(column("number", *values), wanted)


@given(st.lists(st.floats().map(repr) | st.sampled_from([" 1.5 ", "1e3", "+2", "1_000", "nan", "-inf"])))
def test_numbers_in_quotes_are_those_numbers(values: list[str]) -> None:
    np.testing.assert_array_equal(column("number", *values), list(map(float, values)))


def test_any_number_but_zero_is_true() -> None:
    values = (True, False, 1, 0, 2, 0.5, -0.0, None, float("nan"))
    np.testing.assert_array_equal(column("boolean", *values), [1, 0, 1, 0, 1, 1, 0, np.nan, np.nan])


def test_a_text_is_true_or_false_if_it_says_so() -> None:
    values = ("true", "False", " TRUE ", "1", "0", "0.0", None)
    np.testing.assert_array_equal(column("boolean", *values), [1, 0, 1, 1, 0, 0, np.nan])
    for value in ("yes", "", "2", "inf"):
        with pytest.raises(CannotPredict, match=r"'a', row 1: .* is not true or false"):
            column("boolean", True, value)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026", "2026-01-01"),
        ("2026-03", "2026-03-01"),
        ("2026-01-31", "2026-01-31"),
        ("20260131", "2026-01-31"),
        ("2026-W05-6", "2026-01-31"),
        (" 2026-01-31 12:00 ", "2026-01-31T12:00"),
        ("2026-01-31T12", "2026-01-31T12:00"),
        ("2026-01-31T12:00:00.5", "2026-01-31T12:00:00.5"),
        ("2026-01-31T12:00:00.123456789", "2026-01-31T12:00:00.123456789"),
        ("2026-01-31T12:00:00Z", "2026-01-31T12:00"),
        ("2026-01-31T12:00:00.123456789+02:00", "2026-01-31T10:00:00.123456789"),
        ("2026-01-31T12:00-0330", "2026-01-31T15:30"),
        ("20260131T120000+0200", "2026-01-31T10:00"),
        ("1678-01-01", "1678-01-01"),
        ("2261-12-31T23:59:59.999999999", "2261-12-31T23:59:59.999999999"),
    ],
)
def test_times_in_iso_8601_are_moments_in_utc(text: str, moment: str) -> None:
    assert column("time", text).tolist() == [np.datetime64(moment, "ns").astype("int64")]


@given(st.datetimes(pd.Timestamp("1678-01-01"), pd.Timestamp("2261-12-31")))
def test_every_moment_that_python_writes_is_read(moment: Any) -> None:
    assert column("time", moment.isoformat(), moment.isoformat(" "))[1] == np.datetime64(moment, "ns")


def test_a_number_is_a_moment_in_nanoseconds_as_pandas_takes_it() -> None:
    values = [1_700_000_000_000_000_000, 1.7e18, 0, -1]
    assert column("time", *values).tolist() == pd.to_datetime(pd.Series(values)).astype("int64").tolist()


def test_times_are_missing_where_nothing_or_nat_is_said() -> None:
    assert np.isnat(column("time", None, "", "NaT", "nan", float("nan"))).all()


@pytest.mark.parametrize(
    "value",
    [
        *(
            "yesterday",
            "now",
            "31/01/2026",
            "01/02/2026",
            "Jan 31 2026",
            "2026-02-30",
            "2026-01-31T25:00",
            "1677-12-31",
        ),
        *("2262-01-01", "99999-01-01", "2026-01-31T12:00+24:00", "2026-13", True, 2**63, 1e300, float("inf"), [], {}),
    ],
)
def test_what_is_no_moment_is_refused(value: Any) -> None:
    with pytest.raises(CannotPredict, match=r"'a', row 1: .* is not a time such as"):
        column("time", "2026-01-31", value)


@pytest.mark.parametrize(
    "sent",
    [
        base64.b64encode(PNG).decode(),
        base64.encodebytes(PNG).decode(),
        "data:image/png;base64," + base64.b64encode(PNG).decode(),
    ],
)
def test_an_image_in_base64_is_its_bytes(sent: str) -> None:
    assert column("image", sent, None).tolist() == [PNG, None]


def test_an_image_in_csv_is_base64_too_however_long() -> None:
    schema = Schema(task="regression", target="y", fields=(Field(name="a", kind="image", nullable=False),))
    large = PNG * 1_000
    assert read_csv(b"a\n" + base64.b64encode(large) + b"\n", schema)["a"].tolist() == [large]


@pytest.mark.parametrize("value", ["not base64!", "aGk", 5, [1], {"b64": "aGk="}, True])
def test_what_is_no_image_is_refused(value: Any) -> None:
    with pytest.raises(CannotPredict, match=r"'a', row 0: .* is not an image file in base64") as caught:
        column("image", value)
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("kind", ["number", "boolean", "time", "category", "text", "image"])
def test_a_long_strange_value_is_shown_shortened(kind: str) -> None:
    with pytest.raises(CannotPredict) as caught:
        column(kind, ["!" * 100_000])
    assert len(str(caught.value)) < 400
