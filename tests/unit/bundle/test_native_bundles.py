from __future__ import annotations

import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_digits
from sklearn.ensemble import (
    AdaBoostClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, RidgeClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder
from sklearn.svm import LinearSVC

from trilho import bundle
from trilho.data import Column
from trilho.errors import BadData, StepFailed
from unit.bundle.tables import (
    WORDS,
    agrees,
    bundled,
    cancer,
    columns_of,
    default_transform,
    iris,
    mixed,
    pipeline,
)


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


def test_images_travel_with_the_project_function_that_reads_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "pixels.py").write_text(
        "import numpy as np\n\ndef flat(frame):\n    return np.stack([scan.ravel() for scan in frame['scan']])\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    digits = load_digits()
    frame = pd.DataFrame({"scan": list(digits.images[:200])})
    truth = pd.Series(digits.target[:200] % 2, name="odd")
    model = pipeline(LogisticRegression(max_iter=5000), FunctionTransformer(importlib.import_module("pixels").flat))
    model.fit(frame[:140], truth[:140])
    schema = bundle.describe(
        frame[:140], (Column(name="scan", kind="image"),), task="image-classification", target="odd", labels=[0, 1]
    )
    built = bundle.build(
        model,
        schema=schema,
        train=frame[:140],
        test=frame[140:],
        metrics={},
        row_hashes=[],
        metadata={},
        out=tmp_path / "b.tar",
        code=tmp_path / "src" / "pixels.py",
    )
    assert built.why_native == "The model reads column 'scan' as image, which a matrix of numbers cannot hold."
    found = bundle.open(built.path, trust_code=True).predict({"scan": list(digits.images[:5])})
    assert found.labels.tolist() == model.predict(frame[:5]).tolist()
    assert bundle.read_profile(built.path).columns == ()
