"""Bundles of the three kinds of tables that serving, scoring and monitoring are tested on, and a native one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, SplineTransformer, StandardScaler

from trilho import bundle
from unit.bundle.tables import bundled, cancer, mixed, wide


@dataclass(frozen=True)
class Shipped:
    """A bundle, the rows it was made from (the first 70 % trained it), and its target."""

    path: Path
    frame: pd.DataFrame
    truth: pd.Series[Any]

    @cached_property
    def predictor(self) -> bundle.Predictor:
        return bundle.open(self.path)

    @property
    def schema(self) -> bundle.Schema:
        return self.predictor.schema

    def answers(self, frame: pd.DataFrame | None = None) -> bundle.Predictions:
        return self.predictor.predict_frame(self.frame if frame is None else frame)


def all_numbers(folder: Path) -> Shipped:
    frame, truth = cancer()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return Shipped(bundled(model, frame, truth, folder).path, frame, truth)


def categories_and_missing(folder: Path) -> Shipped:
    frame, truth = mixed()
    words = make_pipeline(SimpleImputer(strategy="constant", fill_value="none"), OneHotEncoder(handle_unknown="ignore"))
    numbers = SimpleImputer(strategy="median")
    columns = [("numbers", numbers, ["income", "age", "member"]), ("words", words, ["city", "plan", "street"])]
    model = make_pipeline(ColumnTransformer(columns), RandomForestClassifier(20, random_state=0))
    return Shipped(bundled(model, frame, truth, folder).path, frame, truth)


def two_hundred_columns(folder: Path) -> Shipped:
    frame, truth = wide()
    model = make_pipeline(StandardScaler(), LogisticRegression())
    return Shipped(bundled(model, frame, truth, folder).path, frame, truth)


def not_compiled(folder: Path) -> Shipped:
    frame, truth = cancer()
    model = make_pipeline(SplineTransformer(), StandardScaler(), LogisticRegression())
    return Shipped(bundled(model, frame, truth, folder).path, frame, truth)


KINDS: Mapping[str, Callable[[Path], Shipped]] = {
    "all numbers": all_numbers,
    "categories and missing": categories_and_missing,
    "200 columns": two_hundred_columns,
    "native": not_compiled,
}
