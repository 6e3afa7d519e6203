from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder

from trilho import bundle
from unit.bundle.tables import bundled, cancer, diabetes, iris, mixed

lightgbm = pytest.importorskip("lightgbm", reason='LightGBM is an extra: pip install "trilho[lightgbm]"')


def classifier(**params: Any) -> Any:
    return lightgbm.LGBMClassifier(n_estimators=30, min_child_samples=5, verbose=-1, n_jobs=1, **params)


def agrees(model: Any, built: bundle.Built, frame: pd.DataFrame) -> None:
    found = bundle.open(built.path).predict_frame(frame)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = model.predict(frame)
        if wanted.dtype.kind == "f":
            assert np.allclose(found.labels, wanted, rtol=1e-12)
        else:
            assert found.labels.tolist() == wanted.tolist()
        if found.probabilities is not None:
            assert np.abs(found.probabilities - model.predict_proba(frame)).max() < 1e-12


def test_numbers_with_missing_values_in_two_and_three_classes(tmp_path: Path) -> None:
    for table in (cancer, iris):
        frame, truth = table()
        order = np.random.default_rng(0).permutation(len(frame))
        holes = frame.iloc[order].mask(np.random.default_rng(1).random(frame.shape) < 0.1)
        model = classifier()
        built = bundled(model, holes, truth.iloc[order], tmp_path / table.__name__)
        assert built.runtime == "onnx"
        agrees(model, built, frame.mask(np.random.default_rng(2).random(frame.shape) < 0.4))


@pytest.mark.parametrize("objective", ["regression", "regression_l1", "huber", "poisson", "tweedie"])
def test_every_common_objective_of_regression(objective: str, tmp_path: Path) -> None:
    frame, truth = diabetes()
    model = lightgbm.LGBMRegressor(n_estimators=20, objective=objective, verbose=-1, n_jobs=1)
    built = bundled(model, frame, truth, tmp_path)
    assert built.runtime == "onnx"
    agrees(model, built, frame)


def test_pandas_categories_known_unknown_and_null(tmp_path: Path) -> None:
    frame, truth = mixed()
    for name in ("city", "plan", "street"):
        frame[name] = frame[name].astype("category")
    model = Pipeline([("transform", FunctionTransformer()), ("estimator", classifier())])
    built = bundled(model, frame, truth, tmp_path)
    assert built.runtime == "onnx"
    assert built.parity.largest < 1e-12
    strange = frame.astype({"city": "str"})
    strange.loc[::3, "city"] = "nobody"
    strange.loc[::4, "city"] = None
    agrees(model, built, strange.astype({"city": "category"}))


def test_encoded_categories_split_as_sets(tmp_path: Path) -> None:
    frame, truth = mixed()
    words = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    transform = ColumnTransformer([("words", words, ["city", "plan", "street"])], remainder="passthrough")
    model = Pipeline([("transform", transform), ("estimator", classifier(categorical_feature=[0, 1, 2]))])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # LightGBM warns of the setting that its own documentation names
        built = bundled(model, frame, truth, tmp_path)
    assert built.runtime == "onnx"
    agrees(model, built, frame)


def test_text_labels_and_early_stopping(tmp_path: Path) -> None:
    frame, truth = cancer()
    model = classifier()
    model.set_params(n_estimators=200)
    names = np.where(truth == 1, "benign", "malignant")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer LightGBM has another name for eval_set
        seen = [(frame[300:398], names[300:398])]
        stop = lightgbm.early_stopping(3, verbose=False)
        model.fit(frame[:300], names[:300], eval_set=seen, callbacks=[stop])
    assert model.best_iteration_ < 200
    model.fitted_already = True
    built = bundled(model, frame, pd.Series(names, name="y"), tmp_path)
    assert built.runtime == "onnx"
    agrees(model, built, frame)


@pytest.mark.parametrize("params", [{"linear_tree": True}, {"zero_as_missing": True}])
def test_what_has_no_exact_counterpart_is_left_to_the_native_model(params: dict[str, Any], tmp_path: Path) -> None:
    frame, truth = cancer()
    model = classifier(**params)
    built = bundled(model, frame, truth, tmp_path)
    assert built.runtime == "native"
    assert built.why_native == f"No exact conversion is known for LightGBM with {next(iter(params))}."
    agrees(model, built, frame)
