from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from trilho.bundle import Field
from trilho.bundle.columns import canonical, columns_of, is_null, same_length, words
from trilho.errors import CannotPredict


def field(kind: str, dtype: str = "") -> Field:
    return Field(
        name="x", kind=kind, nullable=True, dtype=dtype or {"number": "float64", "boolean": "bool"}.get(kind, "str")
    )


def test_doubles_are_not_copied() -> None:
    values = np.array([1.0, np.nan])
    assert canonical(field("number"), values) is values


def test_null_becomes_nan_in_numbers_and_none_in_words() -> None:
    assert np.isnan(canonical(field("number"), [1, None])[1])
    assert canonical(field("category"), ["a", None, float("nan")]).tolist() == ["a", None, None]


@pytest.mark.parametrize(
    "given", [[True, False, None], ["true", "False", None], [1, 0, None], np.array([1.0, 0.0, np.nan])]
)
def test_a_boolean_may_be_a_word_a_number_or_a_boolean(given: object) -> None:
    found = canonical(field("boolean"), given)
    assert found[:2].tolist() == [1.0, 0.0]
    assert np.isnan(found[2])


def test_a_number_in_a_category_column_is_read_as_the_word_for_it() -> None:
    assert canonical(field("category"), [3, 3.0, 3.5, True]).tolist() == ["3", "3", "3.5", "true"]


def test_a_category_that_was_a_number_in_training_stays_one() -> None:
    assert canonical(field("category", "int64"), ["12", 12, None])[:2].tolist() == [12.0, 12.0]


def test_times_are_read_from_text_with_a_zone_from_seconds_and_from_pandas() -> None:
    wanted = np.datetime64("2026-01-31T12:00:00", "ns")
    given = ["2026-01-31T12:00:00", "2026-01-31T09:00:00-03:00", 1769860800, pd.Timestamp("2026-01-31 12:00"), None]
    found = canonical(field("time", "datetime64[us]"), given)
    assert (found[:4] == wanted).all()
    assert np.isnat(found[4])


@pytest.mark.parametrize(
    ("kind", "given", "row"),
    [
        ("number", [1.0, "two"], 1),
        ("number", ["1.5"], 0),
        ("number", [1, {}], 1),
        ("boolean", [True, "maybe"], 1),
        ("time", ["2026-01-01", "yesterday"], 1),
        ("time", [True], 0),
    ],
)
def test_a_value_of_another_kind_is_refused_with_column_and_row(kind: str, given: list[object], row: int) -> None:
    with pytest.raises(CannotPredict, match=rf"Column 'x', row {row}: .* is not ") as caught:
        canonical(field(kind), given)
    assert (caught.value.column, caught.value.row) == ("x", row), "as facts too, for a page that marks the cell"


def test_a_table_in_place_of_a_column_is_refused() -> None:
    with pytest.raises(CannotPredict, match="2 dimensions"):
        canonical(field("number"), [[1, 2], [3, 4]])


def test_every_pandas_type_of_the_same_values_gives_the_same_column() -> None:
    numbers = [pd.Series([1, 2, None], dtype=dtype) for dtype in ("float64", "Int64", "Float64", "object")]
    for series in numbers:
        found = columns_of(pd.DataFrame({"x": series}), [field("number")])["x"]
        assert found[:2].tolist() == [1.0, 2.0]
        assert np.isnan(found[2])
    for dtype in ("object", "str", "string", "category"):
        series = pd.Series(["a", "b", None], dtype=dtype)
        assert columns_of(pd.DataFrame({"x": series}), [field("category")])["x"].tolist() == ["a", "b", None]
    for dtype in ("bool", "boolean", "object"):
        series = pd.Series([True, False], dtype=dtype)
        assert columns_of(pd.DataFrame({"x": series}), [field("boolean")])["x"].tolist() == [1.0, 0.0]


def test_a_time_with_a_zone_is_kept_in_utc() -> None:
    series = pd.Series(pd.to_datetime(["2026-01-31 09:00"]).tz_localize("America/Sao_Paulo"))
    found = columns_of(pd.DataFrame({"x": series}), [field("time", str(series.dtype))])["x"]
    assert found[0] == np.datetime64("2026-01-31T12:00:00", "ns")


def test_a_missing_column_is_named_with_those_that_are_there() -> None:
    with pytest.raises(CannotPredict, match=r"'x' is missing.\nGiven were: y") as caught:
        columns_of(pd.DataFrame({"y": [1]}), [field("number")])
    assert caught.value.column == "x"


def test_columns_of_different_lengths_are_refused_with_the_first_row_that_lacks_a_value() -> None:
    with pytest.raises(CannotPredict, match="Column 'y' has 1 rows, column 'x' has 3") as caught:
        same_length({"x": np.zeros(3), "y": np.zeros(1)})
    assert (caught.value.column, caught.value.row) == ("y", 1)
    with pytest.raises(CannotPredict, match="Column 'y' has 3 rows, column 'x' has 1") as caught:
        same_length({"x": np.zeros(1), "y": np.zeros(3)})
    assert (caught.value.column, caught.value.row) == ("x", 1)


def test_nulls_are_found_in_every_canonical_form() -> None:
    assert is_null(np.array([1.0, np.nan])).tolist() == [False, True]
    assert is_null(np.array(["a", None], dtype=object)).tolist() == [False, True]
    assert is_null(np.array(["2026-01-01", "NaT"], dtype="datetime64[ns]")).tolist() == [False, True]


def test_booleans_and_numeric_categories_have_words() -> None:
    assert words(field("boolean"), np.array([0.0, 1.0, np.nan])).tolist() == ["false", "true", None]
    assert words(field("category", "int64"), np.array([0.0, 12.0, 1.5])).tolist() == ["0", "12", "1.5"]


@pytest.mark.parametrize("value", ["5263-11-04", "1492-10-12T00:00:00", np.datetime64("5263-11-04", "s")])
def test_time_that_nanoseconds_cannot_hold_is_refused_not_moved_to_another_century(value: object) -> None:
    field = Field(name="seen", kind="time", nullable=True)
    fine = "2026-01-31" if isinstance(value, str) else np.datetime64("2026-01-31", "s")
    with pytest.raises(CannotPredict, match="Column 'seen', row 1") as caught:
        canonical(field, [fine, value] if isinstance(value, str) else np.array([fine, value]))
    assert (caught.value.column, caught.value.row) == ("seen", 1)
