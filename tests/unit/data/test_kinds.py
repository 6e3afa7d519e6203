"""What each column is taken for, what it becomes, and what a wrong guess can be told."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho import data
from trilho.data.columns import prepared
from trilho.data.convert import converted
from trilho.data.dataset import KINDS, Column
from trilho.data.kinds import MOST_VALUES
from trilho.data.sources.table import Table, row_numbers
from trilho.errors import BadData

GAP = None


def prepare(frame: pd.DataFrame, **more: Any) -> tuple[pd.DataFrame, dict[str, Column]]:
    """The prepared features of a frame that gets a harmless target."""
    whole = frame.assign(y=["a", "b", *"a" * (len(frame) - 2)])
    settings: dict[str, Any] = {"kinds": {}, "drop": (), "task": "classification", "text": True, **more}
    made, columns = prepared(Table(frame=whole, where=row_numbers), source="here", target="y", **settings)
    return made, {column.name: column for column in columns}


MANY = [f"comment {number}" for number in range(40)]


@pytest.mark.parametrize(
    ("values", "kind", "becomes"),
    [
        ([0, 1, 1], "number", "int64"),
        ([1, 2, GAP], "number", "float64"),
        ([0.5, 1.5, GAP], "number", "float64"),
        (pd.array([1, None, 3], dtype="Int64"), "number", "float64"),
        (pd.array([1, 2, 3], dtype="Int16"), "number", "int64"),
        (pd.array([1.5, None, 3], dtype="Float64"), "number", "float64"),
        (pd.array([1, None, 3], dtype="int64[pyarrow]"), "number", "float64"),
        (np.array([1, 2, 3], dtype="float32"), "number", "float32"),
        ([Decimal("1.5"), Decimal(2), GAP], "number", "float64"),
        (pd.Series([1, 2.5, GAP], dtype=object), "number", "float64"),
        (pd.Series([2**70, 1, 2], dtype=object), "number", "float64"),
        ([GAP, GAP, GAP], "number", "float64"),
        (pd.Series([2.5, None], dtype="float[pyarrow]"), "number", "float64"),
        (pd.arrays.SparseArray([1, 0, 0]), "number", "int64"),
        ([True, False, True], "boolean", "bool"),
        ([True, False, GAP], "boolean", "object"),
        (pd.array([True, None, False], dtype="boolean"), "boolean", "object"),
        (pd.array([True, True, False], dtype="boolean"), "boolean", "bool"),
        (["yes", "no", "no"], "boolean", "bool"),
        (["True", "FALSE", GAP], "boolean", "object"),
        (["yes", "yes", "yes"], "category", "str"),
        (["yes", "no", "perhaps"], "category", "str"),
        (["true", "no", "no"], "category", "str"),
        (["Rio", "Natal", GAP], "category", "str"),
        (["01234", "04321", "00001"], "category", "str"),
        (MANY, "text", "str"),
        ([*MANY[:20], *MANY[:20]], "category", "str"),
        ([*MANY[:21], *MANY[:21]], "category", "str"),
        (["A12", "B7", "113", "C1"] * 3, "category", "str"),
        (pd.array(["a", "b", None], dtype="string"), "category", "str"),
        (pd.Categorical(["a", "b", GAP]), "category", "str"),
        (pd.Categorical([True, False, GAP]), "category", "str"),
        (pd.Categorical([3, 1, GAP]), "category", "str"),
        (pd.to_datetime(["2024-01-01", None, "2024-01-03"]), "time", "M"),
        (pd.to_datetime(["2024-01-01"] * 3).tz_localize("America/Sao_Paulo"), "time", "M"),
        ([datetime.date(2024, 1, 1), datetime.date(1890, 1, 1), GAP], "time", "M"),
        (pd.array([datetime.date(2024, 1, 1), None], dtype="date32[day][pyarrow]"), "time", "M"),
        (pd.array([pd.Timestamp("2024-01-01"), None], dtype="timestamp[us][pyarrow]"), "time", "M"),
        (["2024-01-01", "2024-02-29T10:00:00Z", GAP], "time", "M"),
        (["2024-01-01 10:00:00.5+02:00", "2024-02-29", "1999-12-31 23:59"], "time", "M"),
    ],
)
def test_values_decide_the_kind_and_the_plain_type(values: Any, kind: str, becomes: str) -> None:
    frame = pd.DataFrame({"x": pd.Series(values)})
    made, columns = prepare(frame)
    assert not any(value is pd.NA for value in made["x"])
    assert columns["x"].kind == kind
    assert columns["x"].nullable == bool(frame["x"].isna().any())
    dtype = made["x"].dtype
    if becomes == "str":
        assert {type(value) for value in made["x"].dropna()} <= {str}
    else:
        assert dtype.kind == "M" if becomes == "M" else str(dtype) == becomes
    assert data.kinds_of(frame) == {"x": kind}
    assert made["x"].isna().tolist() == frame["x"].isna().tolist()


@pytest.mark.parametrize("gap", [None, pd.NA, np.nan])
def test_missing_values_have_one_sign(gap: Any) -> None:
    made, _ = prepare(pd.DataFrame({"ok": pd.Series([True, gap, False], dtype=object)}))
    assert isinstance(made["ok"][1], float)


def test_values_of_categories_and_booleans_are_sorted() -> None:
    frame = pd.DataFrame(
        {"c": ["b", "a", None, "b"], "ok": [True, False, None, True], "one": [True] * 4, "n": [3, 1, 2, 2]}
    )
    _, columns = prepare(frame)
    assert [columns[name].values for name in frame] == [("a", "b"), ("false", "true"), ("true",), ()]
    assert columns["y"].values == ("a", "b")


def test_the_list_of_values_is_cut_and_keeps_the_frequent_ones() -> None:
    codes = [f"{number:05d}x" for number in range(MOST_VALUES + 5)]
    frame = pd.DataFrame({"c": codes + codes[5:] + codes[5:]})
    _, columns = prepare(frame)
    assert columns["c"].kind == "category"
    assert columns["c"].values == tuple(codes[5:])


def test_times_of_all_zones_are_utc_without_a_zone() -> None:
    frame = pd.DataFrame({"t": ["2024-01-01T00:00:00-03:00", "2024-01-01T03:00:00Z", "2024-01-01T03:00:00"]})
    made, _ = prepare(frame)
    assert made["t"].nunique() == 1
    assert made["t"][0] == pd.Timestamp("2024-01-01T03:00:00")


@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        ([3, 1, 2], "category", ["3", "1", "2"]),
        ([3.0, np.nan, 2.0], "category", ["3", None, "2"]),
        ([0.5, 1.0, 2.0], "category", ["0.5", "1.0", "2.0"]),
        ([True, False, None], "category", ["true", "false", None]),
        (["1", " 2.5", None], "number", [1.0, 2.5, None]),
        ([True, False, None], "number", [1.0, 0.0, None]),
        ([True, False, True], "number", [1, 0, 1]),
        ([1, 0, 1], "boolean", [True, False, True]),
        (["Yes", "no", None], "boolean", [True, False, None]),
        (["a", "b", "c"], "text", ["a", "b", "c"]),
        (["2024-01-01", None, "2024-01-03"], "time", [pd.Timestamp("2024-01-01"), None, pd.Timestamp("2024-01-03")]),
        (["a.png", "b.png", "c.png"], "image", ["a.png", "b.png", "c.png"]),
    ],
)
def test_a_kind_that_is_told_converts(values: list[Any], kind: str, expected: list[Any]) -> None:
    made, columns = prepare(pd.DataFrame({"x": values}), kinds={"x": kind})
    assert columns["x"].kind == kind
    assert [None if pd.isna(value) else value for value in made["x"]] == expected


def test_images_are_left_as_they_are_and_only_told() -> None:
    pictures = [np.zeros((2, 2), dtype="uint8")] * 3
    frame = pd.DataFrame({"x": pd.Series(pictures)})
    assert data.kinds_of(frame) == {"x": None}
    made, columns = prepare(frame, kinds={"x": "image"})
    assert columns["x"].kind == "image"
    assert made["x"][0] is pictures[0]
    with pytest.raises(BadData, match=r"holds ndarray \(row 1, row 2, row 3\)") as caught:
        prepare(frame)
    assert "data.kinds: {x: image}" in caught.value.remedy


@pytest.mark.parametrize(
    ("values", "kind", "reason"),
    [
        (["1", "x", "2"], "number", "no number: 'x' on row 2"),
        (["1", "0", "2"], "boolean", "no boolean: '1' on row 1, row 2, row 3"),
        ([1, 0, 2], "boolean", "no boolean: .*2.* on row 3"),
        (["2024-01-01", "31/12/2024", "x"], "time", "no time: '31/12/2024' on row 2, row 3"),
        ([1, 2, 3], "time", "no time"),
    ],
)
def test_a_told_kind_that_does_not_fit_names_the_rows(values: list[Any], kind: str, reason: str) -> None:
    with pytest.raises(BadData, match=reason):
        prepare(pd.DataFrame({"x": values}), kinds={"x": kind})


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (["1", "2", "abc", "4"], "'x' mixes numbers and words: 'abc' on row 3"),
        (["1", "2", "?", "?"], r"'x' mixes numbers and words: '\?' on row 3, row 4"),
        (["2024-01-01", "2024-02-30", "2024-03-01"], "'x' mixes dates and words: '2024-02-30' on row 2"),
        (pd.Series([1, "b", 2, 3], dtype=object), "'x' mixes numbers and words: 'b' on row 2"),
        (pd.Series(["a", "b", "c", 3], dtype=object), "'x' mixes numbers and words: 'a' on row 1"),
        (pd.Series([1, 2, b"x", 3], dtype=object), "'x' holds bytes, int"),
        (pd.Series([1j, 2, 3, 4]), "'x' holds complex"),
        (pd.Series(pd.to_timedelta([1, 2, 3, 4], unit="s")), "'x' holds Timedelta"),
        ([1.0, float("inf"), 2, float("-inf")], "'x' holds infinity on row 2, row 4"),
    ],
)
def test_mixed_and_unusable_columns_are_named_with_their_rows(values: Any, reason: str) -> None:
    frame = pd.DataFrame({"x": values})
    with pytest.raises(BadData, match=reason):
        prepare(frame)
    if "infinity" not in reason:
        assert data.kinds_of(frame) == {"x": None}


def test_codes_that_are_partly_digits_are_no_mistake() -> None:
    tickets = [f"A/5 {number}" for number in range(30)] + [str(number) for number in range(1000, 1070)]
    _, columns = prepare(pd.DataFrame({"ticket": tickets}))
    assert columns["ticket"].kind == "text"


def test_many_different_words_are_told_from_numbers_by_a_sample() -> None:
    rows = 5_000
    words = prepare(pd.DataFrame({"x": [f"w{number}" for number in range(rows)]}))[1]["x"]
    assert words.kind == "text"
    days = pd.date_range("1990-01-01", periods=rows).strftime("%Y-%m-%d")
    assert prepare(pd.DataFrame({"x": days}))[1]["x"].kind == "time"
    with pytest.raises(BadData, match="'none' on row 5000"):
        prepare(pd.DataFrame({"x": [*map(str, range(rows - 1)), "none"]}))


def test_all_mistakes_come_in_one_message(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "age,height,when,churn\n31,1.7,2024-01-01,yes\nold,inf,2024-01-02,\n44,1.8,soon,no\n", encoding="utf-8"
    )
    with pytest.raises(BadData) as caught:
        data.load(
            "a.csv",
            target="churn",
            root=tmp_path,
            kinds={"agge": "number", "when": "tine"},
            drop=["heigth"],
        )
    assert caught.value.what == "a.csv has 7 problems."
    for reason in (
        "data.kinds names column 'agge', which does not exist. Did you mean 'age'?",
        "data.drop names column 'heigth', which does not exist. Did you mean 'height'?",
        "data.kinds gives 'when' the kind 'tine', which does not exist. Did you mean 'time'?",
        "column 'age' mixes numbers and words: 'old' on line 3.",
        'data.options.na_values: ["old"]',
        "column 'height' holds infinity on line 3.",
        "column 'when' mixes dates and words: 'soon' on line 4.",
        "target 'churn' has no value in 1 of 3 rows: line 3.",
    ):
        assert reason in caught.value.why


def test_the_remedies_work(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("age,height,y\n31,inf,a\nold,1.5,b\n44,1.8,a\n", encoding="utf-8")
    options = {"na_values": ["old", "inf", "-inf"]}
    found = data.load("a.csv", target="y", root=tmp_path, options=options)
    assert found.frame.isna().sum().to_dict() == {"age": 1, "height": 1, "y": 0}
    found = data.load("a.csv", target="y", root=tmp_path, kinds={"age": "category"}, drop=["height"])
    assert found.frame["age"].tolist() == ["31", "old", "44"]


def test_line_numbers_count_blank_lines_and_lines_inside_quotes(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('note,n,y\n"two\nlines",1,a\n\n"x",2,b\n"y",bad,a\n', encoding="utf-8")
    with pytest.raises(BadData, match="'bad' on line 6"):
        data.load("a.csv", target="y", root=tmp_path)


@given(
    st.lists(
        st.one_of(
            st.none(), st.integers(-3, 3), st.floats(width=16), st.booleans(), st.text(max_size=3), st.just("yes")
        ),
        min_size=1,
        max_size=5,
    ),
    st.sampled_from(KINDS),
)
def test_any_column_converts_or_names_what_it_cannot(values: list[Any], kind: Any) -> None:
    column = pd.Series(values, dtype=object, name="x")
    made, refused = converted(column, kind)
    assert len(made) == len(refused) == len(column)
    missing = column.isna().to_numpy()
    assert not (refused & missing).any()
    assert (made.isna().to_numpy() == (missing | refused)).all()
    if kind in ("category", "text"):
        assert not refused.any()
