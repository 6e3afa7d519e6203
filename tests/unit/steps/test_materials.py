from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trilho.data.dataset import Column
from trilho.steps.materials import TEST, labels_of, model_frame
from unit.steps.cases import after, cancer, dataset, mixed, project, wide

ALL_KINDS = (
    Column(name="age", kind="number"),
    Column(name="member", kind="boolean"),
    Column(name="city", kind="category"),
    Column(name="note", kind="text"),
    Column(name="since", kind="time"),
)


def test_numbers_and_booleans_become_floats_and_texts_objects() -> None:
    frame = pd.DataFrame(
        {
            "age": [1, 2],
            "member": [True, False],
            "city": ["Porto", "Lyon"],
            "note": ["a", "b"],
            "since": [pd.Timestamp("2026-01-31"), pd.NaT],
        }
    )
    made = model_frame(frame, ALL_KINDS)
    assert {name: str(kind) for name, kind in made.dtypes.items() if name != "since"} == {
        "age": "float64",
        "member": "float64",
        "city": "object",
        "note": "object",
    }
    assert made["since"].dtype.kind == "M"
    assert made["member"].tolist() == [1.0, 0.0]
    assert made["city"].tolist() == ["Porto", "Lyon"]


@pytest.mark.parametrize("kind", ["Int64", "Float64", "object"])
def test_a_missing_value_changes_no_type(kind: str) -> None:
    whole = model_frame(pd.DataFrame({"age": [1, 2]}), ALL_KINDS[:1])
    gap = model_frame(pd.DataFrame({"age": pd.Series([1, None], dtype=kind)}), ALL_KINDS[:1])
    assert gap["age"].dtype == whole["age"].dtype
    assert np.isnan(gap["age"][1])
    members = pd.Series([True, None], dtype="boolean" if kind == "Int64" else "object")
    found = model_frame(pd.DataFrame({"member": members}), ALL_KINDS[1:2])
    assert found["member"].tolist()[0] == 1.0
    assert np.isnan(found["member"][1])


@pytest.mark.parametrize("kind", ["object", "string", "str", "category"])
def test_missing_text_is_nan_whatever_it_was(kind: str) -> None:
    cities = pd.Series(["Porto", None, "Lyon"], dtype="object").astype(kind if kind != "object" else object)
    made = model_frame(pd.DataFrame({"city": cities}), ALL_KINDS[2:3])["city"]
    assert made.dtype == object
    assert [made[0], made[2]] == ["Porto", "Lyon"]
    assert isinstance(made[1], float)
    assert np.isnan(made[1])


def test_a_category_without_any_value_is_still_text() -> None:
    made = model_frame(pd.DataFrame({"city": pd.Series([None, None], dtype=object)}), ALL_KINDS[2:3])
    assert made["city"].dtype == object


def test_rows_are_counted_from_zero_and_columns_are_the_features_in_their_order() -> None:
    frame = pd.DataFrame({"b": [1, 2, 3], "a": [4, 5, 6], "other": [7, 8, 9]}, index=[10, 20, 30])
    made = model_frame(frame[1:], (Column(name="a", kind="number"), Column(name="b", kind="number")))
    assert list(made.index) == [0, 1]
    assert made.to_dict("list") == {"a": [5.0, 6.0], "b": [2.0, 3.0]}


def test_200_columns_stay_in_order() -> None:
    data = wide(5)
    assert list(model_frame(data.frame, data.features).columns) == [f"c{place}" for place in range(200)]


@pytest.mark.parametrize("kind", ["object", "string", "str", "category"])
def test_word_labels_are_plain_texts(kind: str) -> None:
    labels = labels_of(pd.Series(["gone", "stays"]).astype(kind if kind != "object" else object))
    assert labels.dtype == object
    assert [type(label) for label in labels] == [str, str]


@pytest.mark.parametrize("values", [[0, 1], [0.5, 1.5], [True, False]])
def test_labels_that_are_numbers_stay_numbers(values: list[float]) -> None:
    labels = labels_of(pd.Series(values))
    assert labels.tolist() == values
    assert labels.dtype.kind in "ifb"


def test_a_data_set_comes_back_from_ingest_as_it_was(tmp_path: Path) -> None:
    data = mixed(50)
    found = after(project(tmp_path), data).dataset
    assert (found.columns, found.target, found.name, found.fingerprint) == (
        data.columns,
        data.target,
        data.name,
        data.fingerprint,
    )
    one, other = model_frame(found.frame, found.features), model_frame(data.frame, data.features)
    pd.testing.assert_frame_equal(one, other, check_dtype=False)
    assert found.label_names == ()
    assert after(project(tmp_path / "b"), cancer(9)).dataset.label_names == ("malignant", "benign")


def test_parts_hold_each_row_once_with_its_truth_and_weight(tmp_path: Path) -> None:
    frame = pd.DataFrame({"a": np.arange(100.0), "w": np.arange(100.0) + 1000, "target": np.arange(100) % 2})
    materials = after(project(tmp_path, train={"sample_weight": "w"}), dataset(frame), "split")
    assert [column.name for column in materials.features] == ["a"]
    train, test = materials.train_rows["a"], materials.test_rows["a"]
    assert sorted([*train, *test]) == list(range(100))
    assert len(test) == (materials.parts == TEST).sum()
    assert materials.truth(TEST).tolist() == [value % 2 for value in test]
    for part, rows in ((TEST, test), (1 - TEST, train)):
        weights = materials.weights(part)
        assert weights is not None
        assert weights.tolist() == [value + 1000 for value in rows]


def test_without_a_weight_column_rows_have_no_weights(tmp_path: Path) -> None:
    materials = after(project(tmp_path), cancer(60), "split")
    assert materials.weights(TEST) is None
