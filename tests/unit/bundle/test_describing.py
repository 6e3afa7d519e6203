from __future__ import annotations

import json

import numpy as np
import pandas as pd

from trilho import bundle
from trilho.data import Column
from unit.bundle.tables import columns_of, mixed


def described(frame: pd.DataFrame, **kinds: str) -> dict[str, bundle.Field]:
    schema = bundle.describe(frame, columns_of(frame, kinds), task="regression", target="y")
    return {field.name: field for field in schema.fields}


def test_numbers_have_range_quantiles_and_median() -> None:
    field = described(pd.DataFrame({"x": [4.0, 1.0, 2.0, 3.0, np.nan]}))["x"]
    assert (field.minimum, field.maximum, field.typical, field.missing) == (1.0, 4.0, 2.5, 0.2)
    assert len(field.quantiles) == 21
    assert field.quantiles[0] == 1.0
    assert field.quantiles[10] == 2.5
    assert field.integer
    assert field.nullable


def test_infinite_values_are_no_part_of_the_range() -> None:
    assert described(pd.DataFrame({"x": [1.0, np.inf]}))["x"].maximum == 1.0


def test_a_column_without_any_value_has_no_range() -> None:
    field = described(pd.DataFrame({"x": [np.nan, np.nan]}))["x"]
    assert (field.minimum, field.quantiles, field.typical, field.missing) == (None, (), None, 1.0)


def test_categories_come_by_falling_frequency_equal_ones_by_name() -> None:
    field = described(pd.DataFrame({"x": ["b", "b", "c", "a", None]}))["x"]
    assert field.values == ("b", "a", "c")
    assert field.shares == (0.4, 0.2, 0.2)
    assert field.typical == "b"


def test_booleans_have_words() -> None:
    field = described(pd.DataFrame({"x": [True, False, True]}))["x"]
    assert field.values == ("true", "false")


def test_at_most_a_thousand_categories_are_listed() -> None:
    field = described(pd.DataFrame({"x": [f"v{place}" for place in range(3000)]}))["x"]
    assert len(field.values) == 1000
    assert sum(field.shares) <= 1


def test_times_are_seconds_since_1970() -> None:
    field = described(pd.DataFrame({"x": pd.to_datetime(["1970-01-01 00:01", "1970-01-01 00:03"])}))["x"]
    assert (field.minimum, field.maximum) == (60.0, 180.0)


def test_an_image_column_has_a_kind_and_nothing_else() -> None:
    frame = pd.DataFrame({"x": [np.zeros((2, 2)), np.ones((2, 2))]})
    schema = bundle.describe(
        frame, (Column(name="x", kind="image"),), task="image-classification", target="y", labels=["a", "b"]
    )
    assert schema.fields[0] == bundle.Field(name="x", kind="image", nullable=False)


def test_labels_lose_their_numpy_and_names_default_to_their_text() -> None:
    frame, _ = mixed(10)
    schema = bundle.describe(
        frame, columns_of(frame), task="classification", target="y", labels=np.array([0, 1]), positive=np.int64(1)
    )
    assert schema.labels == (0, 1)
    assert type(schema.labels[0]) is int
    assert schema.label_names == ("0", "1")
    assert type(schema.positive) is int
    json.loads(schema.to_json())
