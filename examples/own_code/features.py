"""The functions that trilho.yaml names. They are plain: trilho imports them, nothing here imports trilho."""

from __future__ import annotations

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler


def read(rows, seed=7):
    """data.source: a table. Here invented customers; yours would ask a service or join files."""
    rng = np.random.default_rng(seed)
    plan = rng.choice(["basic", "plus", "family"], rows)
    fee = np.round(rng.uniform(10, 90, rows), 2)
    tickets = rng.poisson(1.2, rows)
    odds = 1.1 * tickets + 1.5 * (plan == "basic") - 0.02 * fee - 1.2 + rng.normal(0, 0.8, rows)
    frame = pd.DataFrame({"plan": plan, "fee": fee, "tickets": tickets, "churn": np.where(odds > 0, "yes", "no")})
    frame.loc[rng.random(rows) < 0.08, "fee"] = np.nan
    frame.loc[rng.random(rows) < 0.05, "plan"] = None
    return frame


def build(columns):
    """transform.using, a factory: the transformer, not fitted yet, for these columns."""
    numbers = [column.name for column in columns if column.kind in ("number", "boolean")]
    words = [column.name for column in columns if column.kind == "category"]
    fill_and_encode = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing"),
        OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=5, sparse_output=False),
    )
    return ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(strategy="median"), StandardScaler()), numbers),
            ("words", fill_and_encode, words),
        ]
    )


def ratios(frame, free=0):
    """transform.using, a function of the frame: as many rows out as in, each from its own row alone."""
    fee = frame["fee"].fillna(0)
    return pd.DataFrame(
        {"fee": fee, "fee_per_ticket": fee / (frame["tickets"] - free).clip(lower=1), "basic": frame["plan"] == "basic"}
    ).astype(float)


class Clipped(BaseEstimator, TransformerMixin):
    """transform.using, a transformer: what it learns from the training rows are numbers, text or arrays."""

    def __init__(self, share=0.99):
        self.share = share

    def fit(self, X, y=None):  # noqa: ARG002 - scikit-learn hands it in
        self.most_ = X[["fee", "tickets"]].quantile(self.share).to_numpy()
        return self

    def transform(self, X):
        return np.minimum(X[["fee", "tickets"]].fillna(0).to_numpy(), self.most_)


def fit(X, y, rounds=100):
    """train.estimator, a function: the transformed rows in, something fitted that predicts out."""
    return HistGradientBoostingClassifier(max_iter=rounds, random_state=0).fit(X, y)


def every_fifth(frame):
    """steps.split: true, or "test", for the rows to test on."""
    return np.arange(len(frame)) % 5 == 0


def measure(model, frame, truth):
    """steps.evaluate: numbers on the test rows, beside the built-in metrics."""
    missed = (model.predict(frame) == "no") & (truth == "yes")
    return {"missed_fees": float(frame["fee"].fillna(0)[missed].sum())}


def note(folder, metrics):
    """steps.register: called with the finished model_dir, for what else you want to lie there."""
    (folder / "note.txt").write_text(f"f1 {metrics['f1']:.3f}\n", encoding="utf-8")
