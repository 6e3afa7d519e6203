from __future__ import annotations

import importlib
import sys
import warnings
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

from trilho import bundle
from trilho.errors import BadData, UntrustedModel
from unit.bundle.tables import cancer, diabetes, mixed


def logged(model: Any, folder: Path, example: Any = None, **how: Any) -> Path:
    """The model as plain MLflow saves it.

    Its requirements are named: MLflow takes seconds to find them out, and a test in which it does so says None.
    """
    how.setdefault("pip_requirements", ["scikit-learn"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.sklearn.save_model(model, str(folder), input_example=example, **how)
    return folder


def test_a_classifier_logged_by_plain_mlflow_is_compiled_from_its_signature_and_example(tmp_path: Path) -> None:
    frame, truth = cancer()
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame, truth)
    folder = logged(model, tmp_path / "model", frame.head(50), pip_requirements=None)
    built = bundle.from_mlflow(folder, out=tmp_path / "bundle.tar", metadata={"name": "plain"})
    predictor = bundle.open(built.path)
    assert built.runtime == "onnx"
    assert predictor.schema.names == tuple(frame.columns)
    assert predictor.schema.labels == (0, 1)
    assert predictor.metadata["described_from"] == "the input example, 50 rows"
    assert (predictor.predict_frame(frame).labels == model.predict(frame)).all()
    assert len(bundle.training_rows(built.path)) == 0


def test_a_forest_needs_no_word_of_trust_when_it_was_saved_with_skops(tmp_path: Path) -> None:
    frame, truth = cancer()
    model = RandomForestClassifier(5, random_state=0).fit(frame, truth)
    folder = logged(model, tmp_path / "model", frame.head(20), skops_trusted_types=bundle.vetted_in(model))
    assert bundle.from_mlflow(folder, out=tmp_path / "bundle.tar", metadata={}).runtime == "onnx"


def test_a_pickle_is_not_loaded_unless_it_is_trusted(tmp_path: Path) -> None:
    frame, truth = cancer()
    model = RandomForestClassifier(5, random_state=0).fit(frame, truth)
    folder = logged(model, tmp_path / "model", frame.head(20), serialization_format="cloudpickle")
    with pytest.raises(UntrustedModel, match=r"logged as cloudpickle, which can run any code. It was not loaded"):
        bundle.from_mlflow(folder, out=tmp_path / "bundle.tar", metadata={})
    assert bundle.from_mlflow(folder, out=tmp_path / "bundle.tar", metadata={}, trust_code=True).runtime == "onnx"


def test_words_whole_numbers_and_booleans_are_read_from_the_signature(tmp_path: Path) -> None:
    frame, truth = mixed(missing=False)
    transform = ColumnTransformer(
        [("words", OneHotEncoder(handle_unknown="ignore"), ["city", "plan"])], remainder="passthrough"
    )
    frame = frame.drop(columns="street")
    model = make_pipeline(transform, LogisticRegression(max_iter=10000)).fit(frame, truth)
    folder = logged(model, tmp_path / "model", frame.head(100))
    built = bundle.from_mlflow(folder, out=tmp_path / "bundle.tar", metadata={})
    kinds = {field.name: field.kind for field in built.schema.fields}
    assert kinds == {"income": "number", "age": "number", "member": "boolean", "city": "category", "plan": "category"}
    assert built.runtime == "onnx"
    assert bundle.open(built.path).predict_frame(frame).labels.tolist() == model.predict(frame).tolist()


def test_a_regression_gives_numbers(tmp_path: Path) -> None:
    frame, truth = diabetes()
    model = LinearRegression().fit(frame, truth)
    built = bundle.from_mlflow(logged(model, tmp_path / "model", frame.head(20)), out=tmp_path / "b.tar", metadata={})
    assert built.schema.task == "regression"
    assert np.allclose(bundle.open(built.path).predict_frame(frame).labels, model.predict(frame))


def test_a_model_without_signature_or_example_says_how_to_log_it(tmp_path: Path) -> None:
    frame, truth = cancer()
    model = LogisticRegression(max_iter=10000).fit(frame, truth)
    with pytest.raises(BadData, match=r"(?s)no signature.*input_example="):
        bundle.from_mlflow(logged(model, tmp_path / "bare"), out=tmp_path / "b.tar", metadata={})
    signature = mlflow.models.infer_signature(frame, truth)
    with pytest.raises(BadData, match="no input example"):
        bundle.from_mlflow(logged(model, tmp_path / "half", signature=signature), out=tmp_path / "b.tar", metadata={})


def test_a_model_fitted_on_a_bare_array_says_how_to_log_it(tmp_path: Path) -> None:
    frame, truth = cancer()
    model = LogisticRegression(max_iter=10000).fit(frame.to_numpy(), truth)
    folder = logged(model, tmp_path / "model", frame.to_numpy()[:5])
    with pytest.raises(BadData, match="DataFrame as its input example"):
        bundle.from_mlflow(folder, out=tmp_path / "b.tar", metadata={})


def test_a_model_of_another_flavour_is_named(tmp_path: Path) -> None:
    class Echo(mlflow.pyfunc.PythonModel):  # type: ignore[misc]
        def predict(self, context: Any, model_input: list[str]) -> list[str]:
            return model_input

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        mlflow.pyfunc.save_model(str(tmp_path / "model"), python_model=Echo())
    with pytest.raises(BadData, match="no scikit-learn model, but: python_function"):
        bundle.from_mlflow(tmp_path / "model", out=tmp_path / "b.tar", metadata={})


def test_an_example_with_missing_values_makes_columns_nullable(tmp_path: Path) -> None:
    frame, truth = cancer()
    holes = frame.mask(np.random.default_rng(0).random(frame.shape) < 0.2)
    model = RandomForestClassifier(5, random_state=0).fit(holes, truth)
    folder = logged(model, tmp_path / "model", holes.head(50), skops_trusted_types=bundle.vetted_in(model))
    built = bundle.from_mlflow(folder, out=tmp_path / "b.tar", metadata={})
    assert all(field.nullable for field in built.schema.fields)


def test_code_that_was_logged_with_the_model_travels_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "tenfold.py").write_text("def tenfold(frame):\n    return frame.to_numpy() * 10\n")
    monkeypatch.syspath_prepend(str(tmp_path / "src"))
    frame, truth = diabetes()
    model = make_pipeline(FunctionTransformer(importlib.import_module("tenfold").tenfold), LinearRegression())
    folder = logged(
        model.fit(frame, truth),
        tmp_path / "model",
        frame.head(20),
        code_paths=[str(tmp_path / "src" / "tenfold.py")],
        skops_trusted_types=["tenfold.tenfold"],
    )
    wanted = model.predict(frame)
    monkeypatch.undo()
    del sys.modules["tenfold"]
    with pytest.raises(UntrustedModel, match=r"tenfold\.tenfold"):
        bundle.from_mlflow(folder, out=tmp_path / "b.tar", metadata={})
    built = bundle.from_mlflow(folder, out=tmp_path / "b.tar", metadata={}, trust_code=True)
    assert built.runtime == "native"
    assert np.allclose(bundle.open(built.path, trust_code=True).predict_frame(frame).labels, wanted)
