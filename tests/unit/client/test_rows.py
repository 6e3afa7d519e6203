"""What is sent is what was given, or an error before anything is sent."""

from __future__ import annotations

import enum
import json
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from model_server import Running
from trilho.client import Client
from trilho.client.rows import encoded, encoded_truth
from trilho.errors import BadFeedback, CannotPredict

pytest.importorskip("httpx", reason='pip install "trilho[client]"')

HALF = "\ud83d"  # of an emoji


class Plan(enum.StrEnum):
    BASIC = "basic"


class Years(int):
    pass


def sent(value: Any) -> Any:
    """What a server gets for a value."""
    return json.loads(encoded({"a": value}))["a"]


@pytest.mark.parametrize(
    "names", [["fee", "plan", "plan"], ["plan", "fee", "plan"], ["1", "fee", 1]], ids=["beside", "apart", "as text"]
)
def test_a_column_that_is_there_twice_is_refused_by_name(names: list[Any]) -> None:
    frame = pd.DataFrame([[1, 2, 3], [4, 5, 6]], columns=names)
    with pytest.raises(CannotPredict) as caught:
        encoded(frame)
    assert caught.value.column == str(names[-1])
    assert f"2 columns have the name '{names[-1]}'." in str(caught.value)


def test_a_row_whose_names_are_the_same_as_text_is_refused() -> None:
    with pytest.raises(CannotPredict, match="the name '1'") as caught:
        encoded([{"a": 1}, {1: 2.0, "1": 3.0}])
    assert (caught.value.column, caught.value.row) == ("1", 1)


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.bool_(True), True),
        (np.str_("é"), "é"),
        (Plan.BASIC, "basic"),
        (Years(3), 3),
        (Decimal("1.5"), 1.5),
        (Decimal("NaN"), None),
        (np.datetime64("2024-01-02T03:04:05", "ns"), "2024-01-02T03:04:05"),
        (np.datetime64("2024-01-02"), "2024-01-02T00:00:00"),
        (np.datetime64("NaT"), None),
        (pd.Timestamp("2024-01-02T03:04:05Z"), "2024-01-02T03:04:05+00:00"),
        ("a 😀", "a 😀"),
    ],
)
def test_a_value_is_sent_as_what_it_is(value: Any, plain: Any) -> None:
    found = sent(value)
    assert (found, type(found)) == (plain, type(plain))


@pytest.mark.parametrize(
    "value",
    [HALF, np.str_(HALF), Decimal("Infinity"), Decimal("1e400"), np.float64("-inf"), np.timedelta64(3, "ns"), 1j],
)
def test_a_value_that_cannot_be_sent_is_named_by_column_and_row(value: Any) -> None:
    with pytest.raises(CannotPredict, match=r"'plan', row 1: .* cannot be sent") as caught:
        encoded([{"plan": "a"}, {"plan": value}])
    assert (caught.value.column, caught.value.row) == ("plan", 1)
    assert str(caught.value).encode(), "it can be written to a log"


def test_a_column_whose_name_cannot_be_sent_is_refused() -> None:
    with pytest.raises(CannotPredict, match="half a character") as caught:
        encoded({f"plan{HALF}": 1})
    assert str(caught.value).encode()


@pytest.mark.parametrize("label", [1, np.int64(1), np.float64(1), np.str_("1"), "1"])
def test_a_label_of_numpy_is_a_label(server: Running, label: Any) -> None:
    with Client(server.address) as client:
        client.feedback(np.str_("abc-0"), label)
    assert server.labels == {"abc-0": 1}


def test_a_yes_or_no_of_numpy_stays_one() -> None:
    assert json.loads(encoded_truth("abc-0", np.bool_(True))) == {"id": "abc-0", "label": True}


@pytest.mark.parametrize(("name", "label", "named"), [("abc-0", HALF, "label"), ("abc-0", [1], "label"),
                                                   ("abc-0", float("inf"), "label"), (HALF, 1, "id")])  # fmt: skip
def test_what_is_no_label_is_refused_before_it_is_sent(name: str, label: Any, named: str) -> None:
    with Client("http://127.0.0.1:1") as client, pytest.raises(BadFeedback, match=f"The {named} .* cannot be sent"):
        client.feedback(name, label)
