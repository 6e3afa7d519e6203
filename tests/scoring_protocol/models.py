"""The models that both servers serve, as trilho saves them, and a table with a column of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from scoring_protocol.values import Row
from trilho import bundle
from trilho.tracking.mlflow_model import save_model
from unit.bundle.tables import NUMBERS, bundled, cancer, mixed, wide


@dataclass(frozen=True)
class Saved:
    """A model as trilho saves it: a bundle, and an MLflow model."""

    name: str
    folder: Path
    frame: pd.DataFrame

    @property
    def predictor(self) -> bundle.Predictor:
        return bundle.open(self.folder / "bundle.tar")

    @property
    def mlflow_model(self) -> Path:
        return self.folder / "model"

    def rows(self) -> list[Row]:
        """Three rows without missing values, as JSON has them."""
        known = self.frame.dropna()[:3]
        found: list[Row] = json.loads(known.to_json(orient="records", date_format="iso", double_precision=15))
        return found


def with_times() -> tuple[pd.DataFrame, pd.Series[Any]]:
    """Columns of every kind, two sizes of whole numbers among them, and a number to predict that all of them move."""
    frame, _ = mixed()
    hours = pd.to_timedelta(np.arange(len(frame)) * 7, unit="h")
    since = (pd.Timestamp("2025-01-01") + hours).astype("datetime64[ns]")
    visits = np.random.default_rng(3).integers(0, 100, len(frame)).astype("int32")
    frame = frame.assign(since=since, visits=visits)
    noise = np.random.default_rng(5).normal(size=len(frame))
    days = (frame["since"] - frame["since"].min()).dt.days
    return frame, pd.Series(frame["age"] + 10 * frame["member"] + frame["visits"] + days + noise, name="amount")


def saved(folder: Path, name: str) -> Saved:
    model, (frame, truth) = MODELS[name]()
    bundled(model, frame, truth, folder)
    trusted = bundle.vetted_in(model)
    save_model(model, folder / "model", example=frame.head(100), trusted=trusted, packages=["scikit-learn"])
    return Saved(name, folder, frame)


def _transform(numeric: Sequence[str]) -> ColumnTransformer:
    words = make_pipeline(SimpleImputer(strategy="constant", fill_value="none"), OneHotEncoder(handle_unknown="ignore"))
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    parts = [("numbers", numbers, list(numeric)), ("words", words, ["city", "plan", "street"])]
    return ColumnTransformer(parts, remainder=StandardScaler())  # the times, if there are any


Table = tuple[pd.DataFrame, "pd.Series[Any]"]
MODELS: Mapping[str, Callable[[], tuple[Pipeline, Table]]] = {
    "numbers": lambda: (make_pipeline(StandardScaler(), LogisticRegression()), cancer()),
    "words": lambda: (make_pipeline(_transform(NUMBERS), RandomForestClassifier(20, random_state=0)), mixed()),
    "200 columns": lambda: (make_pipeline(StandardScaler(), LogisticRegression()), wide()),
    "times": lambda: (make_pipeline(_transform([*NUMBERS, "visits"]), LinearRegression()), with_times()),
}
