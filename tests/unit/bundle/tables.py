"""The tables the bundle's tests use, and a way from a model to its bundle in one call."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_breast_cancer, load_diabetes, load_iris
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from threadpoolctl import threadpool_limits

from trilho import bundle
from trilho.data import Column

NUMBERS, WORDS = ["income", "age", "member"], ["city", "plan", "street"]


def columns_of(frame: pd.DataFrame, kinds: dict[str, str] | None = None) -> tuple[Column, ...]:
    """Columns with the kinds that their types suggest."""
    found = []
    for name in frame.columns:
        dtype = frame[name].dtype
        kind = "boolean" if dtype.kind == "b" else "number" if dtype.kind in "iuf" else "category"
        kind = "time" if dtype.kind == "M" else (kinds or {}).get(name, kind)
        found.append(Column(name=name, kind=kind, nullable=bool(frame[name].isna().any())))
    return tuple(found)


def cancer() -> tuple[pd.DataFrame, pd.Series]:
    frame = load_breast_cancer(as_frame=True)
    return frame.data, frame.target


def iris() -> tuple[pd.DataFrame, pd.Series]:
    frame = load_iris(as_frame=True)
    return frame.data, frame.target


def diabetes() -> tuple[pd.DataFrame, pd.Series]:
    frame = load_diabetes(as_frame=True)
    return frame.data, frame.target


def wide() -> tuple[pd.DataFrame, pd.Series]:
    """200 columns of numbers."""
    chance = np.random.default_rng(7)
    frame = pd.DataFrame(chance.normal(size=(300, 200)), columns=[f"column {place}" for place in range(200)])
    return frame, (frame.iloc[:, :5].sum(axis=1) > 0).astype(int)


def mixed(rows: int = 400, *, missing: bool = True) -> tuple[pd.DataFrame, pd.Series]:
    """Numbers, whole numbers, booleans and categories; missing values in two of them; one category in many forms."""
    chance = np.random.default_rng(11)
    frame = pd.DataFrame(
        {
            "income": chance.lognormal(8, 1, rows),
            "age": chance.integers(18, 90, rows),
            "member": chance.random(rows) < 0.4,
            "city": chance.choice(
                ["São Paulo", "Recife", "Ourém", "", "Itu, SP", "10"], rows, p=[0.4, 0.3, 0.2, 0.05, 0.03, 0.02]
            ),
            "plan": chance.choice(["a", "b"], rows),
            "street": chance.choice([f"street {place}" for place in range(60)], rows),
        }
    )
    if missing:
        frame.loc[chance.random(rows) < 0.1, "income"] = np.nan
        frame.loc[chance.random(rows) < 0.15, "city"] = None
    score = (
        np.log(frame["income"].fillna(3000))
        + 2 * (frame["city"] == "Recife")
        + frame["member"]
        + chance.normal(size=rows)
    )
    return frame, pd.Series(np.where(score > score.median(), "stays", "leaves"), name="outcome")


def bundled(
    model: Any,
    frame: pd.DataFrame,
    truth: pd.Series,
    out: Path,
    *,
    split: float = 0.7,
    kinds: dict[str, str] | None = None,
    **more: Any,
) -> bundle.Built:
    """Fit the model on the first rows and bundle it; the rest are its test rows."""
    with threadpool_limits(1):  # OpenMP threads that wait for a core another test has cost seconds
        return _bundled(model, frame, truth, out, split, kinds, more)


def _bundled(
    model: Any, frame: pd.DataFrame, truth: pd.Series, out: Path, split: float, kinds: dict[str, str] | None, more: Any
) -> bundle.Built:
    border = int(len(frame) * split)
    if not hasattr(model, "fitted_already"):
        model.fit(frame[:border], truth[:border])
    labels = list(getattr(model, "classes_", ()))
    schema = bundle.describe(
        frame[:border],
        columns_of(frame, kinds),
        task="classification" if labels else "regression",
        target=str(truth.name),
        labels=labels,
    )
    facts: dict[str, Any] = {"metrics": {"f1": 0.5}, "row_hashes": range(border), "metadata": {"name": "tried"}, **more}
    return bundle.build(
        model, schema=schema, train=frame[:border], test=frame[border:], out=out / "bundle.tar", **facts
    )


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
