from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import (
    AdaBoostClassifier,
    ExtraTreesClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    HistGradientBoostingRegressor,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge, RidgeClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from trilho import bundle
from trilho.errors import BadData, StepFailed
from unit.bundle.tables import bundled, cancer, columns_of, diabetes, iris, mixed, wide

NUMBERS, WORDS = ["income", "age", "member"], ["city", "plan", "street"]


def pipeline(estimator: Any, transform: Any = None) -> Pipeline:
    return Pipeline([("transform", transform or StandardScaler()), ("estimator", estimator)])


def default_transform(*, scaled: bool = False) -> ColumnTransformer:
    """What `transform: {using: default}` makes of mixed columns."""
    numbers: list[Any] = [SimpleImputer(strategy="median", keep_empty_features=True)]
    encoder = OneHotEncoder(
        handle_unknown="infrequent_if_exist", min_frequency=5, max_categories=50, sparse_output=False
    )
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(*numbers, *([StandardScaler()] if scaled else [])), NUMBERS),
            ("categories", make_pipeline(SimpleImputer(strategy="constant", fill_value="missing"), encoder), WORDS),
        ],
        verbose_feature_names_out=False,
    )


def agrees(model: Any, built: bundle.Built, frame: pd.DataFrame) -> None:
    """The open bundle answers these rows as the model does, labels in the target's own type."""
    found = bundle.open(built.path).predict_frame(frame)
    assert built.parity.passed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # unknown categories
        wanted = model.predict(frame)
        probabilities = model.predict_proba(frame) if hasattr(model, "predict_proba") else None
    if not hasattr(model, "classes_"):
        assert np.allclose(found.labels, wanted, rtol=1e-9)
        return
    assert found.labels.tolist() == wanted.tolist()
    assert [type(label) for label in found.labels.tolist()] == [type(label) for label in wanted.tolist()]
    if probabilities is not None:
        assert found.probabilities is not None
        assert np.abs(found.probabilities - probabilities).max() <= built.parity.tolerance


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


def test_a_label_that_only_the_test_rows_hold_is_left_out_with_its_name(tmp_path: Path) -> None:
    frame, truth = iris()
    model = pipeline(LogisticRegression(max_iter=1000)).fit(frame[:100], truth[:100])
    schema = bundle.describe(
        frame[:100], columns_of(frame), task="classification", target="y", labels=[0, 1, 2], label_names=["a", "b", "c"]
    )
    built = bundle.build(
        model,
        schema=schema,
        train=frame[:100],
        test=frame[100:],
        metrics={},
        row_hashes=[],
        metadata={},
        out=tmp_path / "b.tar",
    )
    assert (built.schema.labels, built.schema.label_names) == ((0, 1), ("a", "b"))


def test_labels_that_are_not_the_datas_are_refused(tmp_path: Path) -> None:
    frame, truth = cancer()
    model = pipeline(LogisticRegression()).fit(frame, truth)
    model.fitted_already = True
    model[-1].classes_ = np.array(["no", "yes"])
    schema = bundle.describe(frame, columns_of(frame), task="classification", target="y", labels=[0, 1])
    with pytest.raises(BadData, match="labels are not the data's"):
        bundle.build(
            model,
            schema=schema,
            train=frame,
            test=frame,
            metrics={},
            row_hashes=[],
            metadata={},
            out=tmp_path / "b.tar",
        )


def test_searches_are_compiled_as_the_pipeline_they_found(tmp_path: Path) -> None:
    frame, truth = mixed()
    inner = pipeline(RandomForestClassifier(5, random_state=0), default_transform())
    model = GridSearchCV(inner, {"estimator__max_depth": [2, 4]}, cv=2)
    built = bundled(model, frame, truth, tmp_path)
    assert built.runtime == "onnx"


def test_neighbours_stay_native_with_the_reason_in_one_sentence(tmp_path: Path) -> None:
    frame, truth = cancer()
    model = pipeline(KNeighborsClassifier())
    built = bundled(model, frame, truth, tmp_path)
    assert built.runtime == "native"
    assert built.why_native == (
        "KNeighborsClassifier as ONNX would compare every row with all training rows; here it has an index."
    )
    agrees(model, built, frame)


def test_categorical_splits_of_hist_gradient_boosting_stay_native(tmp_path: Path) -> None:
    frame, truth = mixed()
    for name in WORDS:
        frame[name] = frame[name].astype("category")
    model = pipeline(HistGradientBoostingClassifier(max_iter=10), FunctionTransformer())
    model.set_params(estimator__categorical_features="from_dtype")
    built = bundled(model, frame, truth, tmp_path)
    assert built.runtime == "native"
    assert built.why_native == (
        "No exact conversion is known for HistGradientBoostingClassifier with categorical_features."
    )
    agrees(model, built, frame)


def test_a_reason_is_never_longer_than_a_sentence(tmp_path: Path) -> None:
    frame, truth = cancer()
    for estimator in (AdaBoostClassifier(n_estimators=3), RidgeClassifier(), LinearSVC()):
        built = bundled(pipeline(estimator), frame, truth, tmp_path / type(estimator).__name__)
        assert "\n" not in built.why_native
        assert len(built.why_native) < 300


def test_a_column_of_text_that_the_model_leaves_out_does_not_stand_in_the_way(tmp_path: Path) -> None:
    frame, truth = mixed()
    frame["note"] = [f"note number {place}" for place in range(len(frame))]
    frame["day"] = pd.date_range("2026-01-01", periods=len(frame), freq="h")
    model = pipeline(RandomForestClassifier(5, random_state=0), default_transform())
    built = bundled(model, frame, truth, tmp_path, kinds={"note": "text"})
    assert built.runtime == "onnx"
    agrees(model, built, frame[300:])


def test_a_column_of_text_that_the_model_reads_keeps_it_native(tmp_path: Path) -> None:
    frame, truth = mixed(missing=False)
    frame["note"] = frame["city"] + " and some more words"
    model = pipeline(LogisticRegression(), ColumnTransformer([("note", TfidfVectorizer(), "note")]))
    built = bundled(model, frame[["note", "age"]], truth, tmp_path, kinds={"note": "text"})
    assert built.runtime == "native"
    assert built.why_native == "The model reads column 'note' as text, which a matrix of numbers cannot hold."
    agrees(model, built, frame[["note", "age"]])


def test_a_model_that_cannot_be_read_back_is_refused(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=100, freq="D", tz="America/Sao_Paulo")})
    truth = pd.Series(range(100), name="y")
    model = pipeline(LinearRegression(), OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1))
    with pytest.raises(StepFailed, match="does not survive being saved: it cannot be read back"):
        bundled(model, frame, truth, tmp_path, trusted=["pandas.Timestamp"])


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


def test_a_model_that_cannot_answer_its_test_rows_is_refused(tmp_path: Path) -> None:
    frame, truth = mixed(missing=False)
    frame.loc[399, "plan"] = "z"
    model = pipeline(LogisticRegression(), ColumnTransformer([("words", OneHotEncoder(), ["plan"])]))
    with pytest.raises(
        StepFailed, match=r"(?s)cannot answer its own test rows. Nothing was bundled.*unknown categories"
    ):
        bundled(model, frame, truth, tmp_path)


def test_the_same_model_gives_the_same_digest(tmp_path: Path) -> None:
    for estimator, transform in (
        (RandomForestClassifier(5, random_state=0), default_transform()),
        (KNeighborsClassifier(), default_transform()),
    ):
        frame, truth = mixed()
        first = bundled(pipeline(estimator, transform), frame, truth, tmp_path / "first")
        again = bundled(pipeline(estimator, transform), frame, truth, tmp_path / "again")
        assert first.digest == again.digest


def test_the_answers_of_the_evaluation_may_be_handed_in(tmp_path: Path) -> None:
    frame, truth = cancer()
    model = pipeline(LogisticRegression()).fit(frame[:398], truth[:398])
    model.fitted_already = True
    answers = bundle.Predictions(labels=model.predict(frame[398:]), probabilities=model.predict_proba(frame[398:]))
    assert bundled(model, frame, truth, tmp_path, answers=answers).parity.passed


def test_nothing_is_left_behind_but_the_archive(tmp_path: Path) -> None:
    frame, truth = cancer()
    bundled(pipeline(LogisticRegression()), frame, truth, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["bundle.tar"]
