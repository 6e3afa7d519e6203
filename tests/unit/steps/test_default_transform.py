from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler

from trilho.data.dataset import Column, Dataset
from trilho.steps.default_transform import RAREST, WIDEST, default, left_out, none, standard_scaler
from trilho.steps.materials import model_frame
from unit.steps.cases import cancer, dataset, mixed, wide


def rows(found: Dataset) -> pd.DataFrame:
    return model_frame(found.frame, found.features)


def numbers(fitted: Any, frame: pd.DataFrame) -> np.ndarray:
    return np.asarray(fitted.transform(frame), dtype=float)


@pytest.mark.parametrize("factory", [default, standard_scaler])
def test_mixed_data_with_missing_values_becomes_finite_numbers(factory: Any) -> None:
    found = mixed()
    made = factory(found.features).fit(rows(found))
    assert np.isfinite(numbers(made, rows(found))).all()
    assert numbers(made, rows(found)).shape[0] == 300


def test_numbers_pass_as_they_are_and_missing_ones_become_the_median() -> None:
    found = mixed()
    frame = rows(found)
    made = default(found.features).fit(frame)
    ages = numbers(made, frame)[:, list(made.get_feature_names_out()).index("age")]
    there = frame["age"].notna().to_numpy()
    assert ages[there].tolist() == frame["age"][there].tolist()
    assert set(ages[~there]) == {frame["age"].median()}


def test_scaled_numbers_have_mean_0_and_deviation_1() -> None:
    found = mixed()
    made = standard_scaler(found.features).fit(rows(found))
    scaled = numbers(made, rows(found))[:, :2]
    assert list(made.get_feature_names_out()[:2]) == ["age", "member"]
    assert np.allclose(scaled.mean(axis=0), 0)
    assert np.allclose(scaled.std(axis=0), 1)


def test_each_category_and_missing_has_a_column_of_its_own() -> None:
    found = mixed()
    frame = rows(found)
    made = default(found.features).fit(frame)
    names = list(made.get_feature_names_out())
    assert names == ["age", "member", "city_Lyon", "city_Porto", "city_São Paulo", "city_missing"]
    columns = pd.DataFrame(numbers(made, frame), columns=names)
    for city in ("Lyon", "Porto", "São Paulo"):
        assert columns[f"city_{city}"].tolist() == (frame["city"] == city).astype(float).tolist()
    assert columns["city_missing"].tolist() == frame["city"].isna().astype(float).tolist()


def test_an_unknown_category_is_taken_without_a_word() -> None:
    found = mixed()
    made = default(found.features).fit(rows(found))
    new = rows(found).head(2).assign(city=["Tokyo", np.nan])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        answer = pd.DataFrame(numbers(made, new), columns=made.get_feature_names_out())
    assert answer.filter(like="city_").to_numpy().tolist() == [[0, 0, 0, 0], [0, 0, 0, 1]]


def test_rare_categories_share_a_column_and_so_does_an_unknown_one() -> None:
    cities = ["often"] * 40 + [f"rare {number}" for number in range(20) for _ in range(RAREST - 1)] + ["just"] * RAREST
    found = dataset(pd.DataFrame({"city": cities, "target": [0, 1] * (len(cities) // 2) + [0] * (len(cities) % 2)}))
    made = default(found.features).fit(rows(found))
    assert list(made.get_feature_names_out()) == ["city_just", "city_often", "city_infrequent_sklearn"]
    unknown = pd.DataFrame({"city": pd.Series(["nowhere", "rare 3"], dtype=object)})
    assert numbers(made, unknown).tolist() == [[0, 0, 1], [0, 0, 1]]


def test_no_column_of_many_categories_becomes_wide() -> None:
    cities = [f"city {number}" for number in range(400)] * 6
    found = dataset(pd.DataFrame({"city": cities, "target": [0, 1] * 1200}))
    assert numbers(default(found.features).fit(rows(found)), rows(found)).shape == (2400, WIDEST)


def test_a_column_first_missing_when_answering_is_taken() -> None:
    found = cancer()
    made = default(found.features).fit(rows(found))
    gaps = rows(found).head(3)
    gaps.iloc[0, 0] = np.nan
    assert numbers(made, gaps)[0, 0] == rows(found).iloc[:, 0].median()


@pytest.mark.parametrize("factory", [default, standard_scaler])
def test_a_column_without_any_value_is_kept(factory: Any) -> None:
    found = dataset(pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [np.nan] * 3, "target": [0, 1, 0]}))
    assert numbers(factory(found.features).fit(rows(found)), rows(found)).shape == (3, 2)


def test_a_category_without_any_value_is_taken() -> None:
    found = dataset(
        pd.DataFrame({"a": [1.0, 2.0], "c": pd.Series([None, None], dtype=object), "target": [0, 1]}),
        {"c": "category"},
    )
    made = default(found.features).fit(rows(found))
    assert numbers(made, rows(found)).shape == (2, 2)
    assert numbers(made, rows(found).assign(c=["new", np.nan])).shape == (2, 2)


def test_text_time_and_image_columns_are_left_out_and_named() -> None:
    columns = [Column(name=kind, kind=kind) for kind in ("number", "boolean", "category", "text", "time", "image")]  # type: ignore[arg-type]
    assert left_out(columns) == ["text", "time", "image"]
    found = mixed()
    assert left_out(found.features) == ["note", "since"]
    names = default(found.features).fit(rows(found)).get_feature_names_out()
    assert not [name for name in names if name.startswith(("note", "since"))]


def test_200_columns_of_numbers_pass_unchanged_in_order() -> None:
    found = wide()
    made = default(found.features).fit(rows(found))
    assert np.array_equal(numbers(made, rows(found)), rows(found).to_numpy())
    assert list(made.get_feature_names_out()) == [f"c{place}" for place in range(200)]


def test_whole_numbers_alone_are_scaled_by_scikit_learns_own_scaler() -> None:
    made = standard_scaler(cancer().features)
    assert isinstance(made, StandardScaler)


def test_none_changes_nothing() -> None:
    found = mixed()
    made = none(found.features).fit(rows(found))
    pd.testing.assert_frame_equal(made.transform(rows(found)), rows(found))
    assert list(made.get_feature_names_out()) == list(rows(found).columns)


@pytest.mark.parametrize("factory", [default, standard_scaler, none])
@pytest.mark.parametrize("found", [mixed(), cancer(), wide()], ids=["mixed", "numbers", "wide"])
def test_transforms_can_be_cloned_as_scikit_learn_wants(factory: Any, found: Dataset) -> None:
    made = factory(found.features)
    assert repr(clone(made)) == repr(made)
