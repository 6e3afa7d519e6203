"""From each kind of data to a champion that answers: one run of the real command line for each."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from command_line import trilho_json, write_project
from trilho import bundle

CLIPPED = """
import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

class Clipped(TransformerMixin, BaseEstimator):
    def fit(self, X, y=None):
        self.low_, self.high_ = np.nanpercentile(np.asarray(X, float), [1, 99], axis=0)
        self.n_features_in_ = self.low_.shape[0]
        return self

    def transform(self, X):
        return np.clip(np.asarray(X, float), self.low_, self.high_)

def build():
    numbers = make_pipeline(SimpleImputer(strategy="median"), Clipped())
    words = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="ignore", sparse_output=False),
    )
    return make_column_transformer((numbers, ["age", "income"]), (words, ["city"]))
"""


def people(rows: int, seed: int = 0) -> pd.DataFrame:
    """Numbers and text categories, missing values in both, a target that they explain."""
    rng = np.random.default_rng(seed)
    age, income = rng.normal(45, 12, rows), rng.lognormal(10, 0.5, rows)
    city = rng.choice(["Recife", "Curitiba", "Belém"], rows)
    chance = 1 / (1 + np.exp(-(age - 45) / 4 - (city == "Recife") * 3))
    frame = pd.DataFrame({"age": age, "income": income, "city": city.astype(object)})
    frame.loc[rng.random(rows) < 0.1, "age"] = np.nan
    frame.loc[rng.random(rows) < 0.1, "city"] = None
    frame["churn"] = np.where(rng.random(rows) < chance, "yes", "no")
    return frame


def deliver(folder: Path, server: str, settings: Mapping[str, Any]) -> tuple[Mapping[str, Any], bundle.Predictor]:
    """One run to a champion; what it reported, and what a server would answer from."""
    write_project(folder, f"real-{uuid4().hex[:8]}", settings)
    done = trilho_json(folder, "run", server=server)
    assert done["champion"]["version"] == 1
    return done, bundle.open(folder / "artifacts" / "model" / "bundle.tar", trust_code=True)


def test_iris_has_three_labels(tmp_path: Path, mlflow_server: str) -> None:
    _, predictor = deliver(tmp_path / "p", mlflow_server, {"data": {"source": "sklearn:iris"}})
    assert predictor.schema.label_names == ("setosa", "versicolor", "virginica")
    assert predictor.metadata["metrics"]["accuracy"] > 0.8
    one = {name: np.array([value]) for name, value in zip(predictor.schema.names, (5.1, 3.5, 1.4, 0.2), strict=True)}
    assert predictor.predict(one).labels.tolist() == [0]


def test_diabetes_is_a_regression(tmp_path: Path, mlflow_server: str) -> None:
    settings = {
        "task": "regression",
        "data": {"source": "sklearn:diabetes"},
        "train": {"estimator": "sklearn.ensemble.HistGradientBoostingRegressor"},
    }
    _, predictor = deliver(tmp_path / "p", mlflow_server, settings)
    assert predictor.metadata["metrics"]["r2"] > 0.1


def test_categories_and_missing_values_through_lightgbm(tmp_path: Path, mlflow_server: str) -> None:
    pytest.importorskip("lightgbm", reason='pip install "trilho[lightgbm]"')
    folder = tmp_path / "p"
    folder.mkdir()
    people(1500).to_csv(folder / "people.csv", index=False)
    settings = {
        "target": "churn",
        "data": {"source": "people.csv"},
        "transform": {"using": "default"},
        "train": {"estimator": "lightgbm.LGBMClassifier", "params": {"n_estimators": 30, "verbose": -1}},
    }
    _, predictor = deliver(folder, mlflow_server, settings)
    assert predictor.metadata["metrics"]["roc_auc"] > 0.8
    answers = predictor.predict({"age": [None, 70.0], "income": [20_000.0, 20_000.0], "city": [None, "Recife"]})
    assert answers.labels.tolist()[1] == "yes"


def test_transformer_of_ones_own_travels_with_the_version(tmp_path: Path, mlflow_server: str) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    people(1500).to_csv(folder / "people.csv", index=False)
    (folder / "features.py").write_text(CLIPPED, encoding="utf-8")
    settings = {
        "target": "churn",
        "data": {"source": "people.csv"},
        "transform": {"using": "features:build"},
        "serve": {"trust_code": True},
    }
    done, _ = deliver(folder, mlflow_server, settings)
    assert "native" in done["steps"][-1]["facts"]
    (folder / "features.py").rename(tmp_path / "gone.py")
    moved = bundle.open(folder / "artifacts" / "model" / "bundle.tar", trust_code=True)
    assert moved.predict({"age": [70.0], "income": [20_000.0], "city": ["Recife"]}).labels.tolist() == ["yes"]


def test_two_hundred_columns(tmp_path: Path, mlflow_server: str) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    rng = np.random.default_rng(0)
    wide = pd.DataFrame(rng.normal(size=(800, 200)), columns=[f"c{index}" for index in range(200)])
    wide.assign(target=(wide["c0"] + wide["c1"] > 0).astype(int)).to_csv(folder / "wide.csv", index=False)
    forest = {"estimator": "sklearn.ensemble.RandomForestClassifier", "params": {"n_estimators": 50}}
    _, predictor = deliver(folder, mlflow_server, {"data": {"source": "wide.csv"}, "train": forest})
    assert len(predictor.schema.fields) == 200
    assert predictor.runtime == "onnx"


def test_table_in_sqlite(tmp_path: Path, mlflow_server: str) -> None:
    folder = tmp_path / "p"
    folder.mkdir()
    with sqlite3.connect(folder / "shop.db") as database:
        people(1000).to_sql("people", database, index=False)
    database.close()
    settings = {
        "target": "churn",
        "data": {"source": "sqlite:///shop.db#people"},
        "transform": {"using": "standard_scaler"},
    }
    deliver(folder, mlflow_server, settings)
    again = trilho_json(folder, "run", server=mlflow_server)
    assert [step["status"] for step in again["steps"]] == ["ran", *["reused"] * 5], "the table is read, nothing changed"


@pytest.mark.slow
def test_folder_of_parquet_with_two_million_rows(tmp_path: Path, mlflow_server: str) -> None:
    folder = tmp_path / "p"
    (folder / "rows").mkdir(parents=True)
    rng = np.random.default_rng(0)
    part: Callable[[], np.ndarray] = lambda: rng.normal(size=250_000)  # noqa: E731
    for number in range(8):
        a, b = part(), part()
        target = (a + b + part() > 0).astype(np.int64)
        pq.write_table(pa.table({"a": a, "b": b, "target": target}), folder / "rows" / f"{number}.parquet")
    done, predictor = deliver(folder, mlflow_server, {"data": {"source": "rows/*.parquet"}})
    assert "2,000,000 rows" in done["steps"][0]["facts"]
    assert predictor.metadata["metrics"]["accuracy"] > 0.75
