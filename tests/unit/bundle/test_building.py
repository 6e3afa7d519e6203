from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.preprocessing import OrdinalEncoder, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from unit.bundle.tables import (
    agrees,
    bundled,
    cancer,
    default_transform,
    diabetes,
    iris,
    mixed,
    pipeline,
    wide,
)

CLASSIFIERS = [
    RandomForestClassifier(30, random_state=0),
    ExtraTreesClassifier(30, random_state=0),
    DecisionTreeClassifier(random_state=0),
    GradientBoostingClassifier(n_estimators=20, random_state=0),
    HistGradientBoostingClassifier(max_iter=20, random_state=0),
    LogisticRegression(max_iter=2000),
    SVC(),
]
REGRESSORS = [
    RandomForestRegressor(30, random_state=0),
    ExtraTreesRegressor(30, random_state=0),
    DecisionTreeRegressor(random_state=0),
    GradientBoostingRegressor(n_estimators=20, random_state=0),
    HistGradientBoostingRegressor(max_iter=20, random_state=0),
    HistGradientBoostingRegressor(max_iter=20, loss="poisson", random_state=0),
    LinearRegression(),
    Ridge(),
]


@pytest.mark.parametrize("estimator", CLASSIFIERS, ids=lambda estimator: type(estimator).__name__)
@pytest.mark.parametrize("table", [cancer, iris, wide], ids=["two labels", "three labels", "200 columns"])
def test_a_classifier_is_compiled_and_answers_as_the_model(estimator: Any, table: Any, tmp_path: Path) -> None:
    frame, truth = table()
    order = np.random.default_rng(0).permutation(len(frame))
    frame, truth = frame.iloc[order].reset_index(drop=True), truth.iloc[order].reset_index(drop=True)
    model = pipeline(estimator)
    built = bundled(model, frame, truth, tmp_path)
    assert (built.runtime, built.why_native) == ("onnx", "")
    agrees(model, built, frame)


@pytest.mark.parametrize("estimator", REGRESSORS, ids=lambda estimator: type(estimator).__name__)
def test_a_regressor_is_compiled_and_answers_as_the_model(estimator: Any, tmp_path: Path) -> None:
    frame, truth = diabetes()
    model = pipeline(estimator)
    built = bundled(model, frame, truth, tmp_path)
    assert built.runtime == "onnx"
    agrees(model, built, frame)


@pytest.mark.parametrize(
    "estimator",
    [
        RandomForestClassifier(20, random_state=0),
        GradientBoostingClassifier(n_estimators=10, random_state=0),
        LogisticRegression(max_iter=5000),
        HistGradientBoostingClassifier(max_iter=10, random_state=0),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_words_and_missing_values_are_compiled_and_unknown_and_null_words_answered(
    estimator: Any, tmp_path: Path
) -> None:
    frame, truth = mixed()
    model = pipeline(estimator, default_transform(scaled=isinstance(estimator, LogisticRegression)))
    built = bundled(model, frame, truth, tmp_path)
    assert built.runtime == "onnx"
    strange = frame.copy()
    strange.loc[::3, "city"] = "never heard of"
    strange.loc[::4, "plan"] = None
    strange.loc[::5, "income"] = np.nan
    agrees(model, built, strange)
    assert all(field.nullable for field in built.schema.fields)


def test_a_linear_model_without_imputer_takes_no_nulls_and_a_forest_does(tmp_path: Path) -> None:
    frame, truth = cancer()
    linear = bundled(pipeline(LogisticRegression()), frame, truth, tmp_path / "a")
    forest = bundled(pipeline(RandomForestClassifier(10, random_state=0)), frame, truth, tmp_path / "b")
    assert not any(field.nullable for field in linear.schema.fields)
    assert all(field.nullable for field in forest.schema.fields)


def test_a_forest_that_met_missing_values_answers_them_as_the_model(tmp_path: Path) -> None:
    frame, truth = cancer()
    holes = frame.mask(np.random.default_rng(1).random(frame.shape) < 0.2)
    for estimator in (RandomForestClassifier(50, random_state=0), HistGradientBoostingClassifier(max_iter=20)):
        model = pipeline(estimator)
        built = bundled(model, holes, truth, tmp_path / type(estimator).__name__)
        assert built.runtime == "onnx"
        agrees(model, built, frame.mask(np.random.default_rng(2).random(frame.shape) < 0.5))


def test_boolean_labels_come_back_as_booleans(tmp_path: Path) -> None:
    frame, truth = cancer()
    model = pipeline(RandomForestClassifier(10, random_state=0))
    built = bundled(model, frame, truth == 1, tmp_path)
    assert built.schema.labels == (False, True)
    agrees(model, built, frame)
    linear = pipeline(LogisticRegression())
    agrees(linear, bundled(linear, frame, truth == 1, tmp_path), frame)


def test_text_labels_come_back_as_text(tmp_path: Path) -> None:
    frame, truth = iris()
    order = np.random.default_rng(0).permutation(len(frame))
    names = truth.map({0: "setosa", 1: "versicolor", 2: "virgínica"})
    for estimator in (RandomForestClassifier(10, random_state=0), LogisticRegression(max_iter=1000)):
        model = pipeline(estimator)
        built = bundled(model, frame.iloc[order], names.iloc[order], tmp_path / type(estimator).__name__)
        assert built.runtime == "onnx"
        agrees(model, built, frame)


def test_searches_are_compiled_as_the_pipeline_they_found(tmp_path: Path) -> None:
    frame, truth = mixed()
    inner = pipeline(RandomForestClassifier(5, random_state=0), default_transform())
    model = GridSearchCV(inner, {"estimator__max_depth": [2, 4]}, cv=2)
    built = bundled(model, frame, truth, tmp_path)
    assert built.runtime == "onnx"


def test_columns_chosen_by_place_by_slice_and_by_what_is_left_are_compiled(tmp_path: Path) -> None:
    frame, truth = mixed(missing=False)
    words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1)
    choices: list[tuple[Any, Any]] = [([0, 1], slice(3, 6)), (["income"], ["city", "plan", "street"])]
    for place, (numbers, categories) in enumerate(choices):
        transform = ColumnTransformer(
            [("numbers", StandardScaler(), numbers), ("words", words, categories)], remainder="passthrough"
        )
        model = pipeline(RandomForestClassifier(5, random_state=0), transform)
        built = bundled(model, frame, truth, tmp_path / str(place))
        assert built.runtime == "onnx"
        agrees(model, built, frame)
