"""Permutation importance: the same as one call for each shuffled copy, in fewer calls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.inspection import permutation_importance as plain_importance
from sklearn.metrics import accuracy_score, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from trilho.steps.importance import permutation_importance


def one_by_one(model: Any, rows: pd.DataFrame, truth: np.ndarray, score: Any, repeats: int) -> np.ndarray:
    """The definition, as plainly as can be."""
    chance = np.random.default_rng(0)
    whole = score(truth, model.predict(rows))
    lost = np.zeros((rows.shape[1], repeats))
    for column in range(rows.shape[1]):
        for repeat in range(repeats):
            shuffled = rows.copy()
            shuffled[rows.columns[column]] = rows.iloc[chance.permutation(len(rows)), column].to_numpy()
            lost[column, repeat] = whole - score(truth, model.predict(shuffled))
    return lost


class Counting:
    """A model that counts its calls and remembers the largest."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.calls: list[int] = []

    def predict(self, rows: pd.DataFrame) -> np.ndarray:
        self.calls.append(len(rows))
        return np.asarray(self.model.predict(rows))


@pytest.fixture(scope="module")
def mixed() -> tuple[pd.DataFrame, np.ndarray]:
    chance = np.random.default_rng(3)
    rows = pd.DataFrame(
        {
            "size": np.where(chance.random(300) < 0.1, np.nan, chance.normal(size=300)),
            "town": pd.Series(chance.choice(["Recife", "Olinda", "Natal"], 300), dtype=object),
            "noise": chance.normal(size=300),
        }
    )
    rows.loc[::17, "town"] = np.nan
    return rows, (rows["town"].eq("Recife") ^ (rows["size"] > 1)).to_numpy()


def test_all_number_columns_agree_with_the_definition() -> None:
    frame, truth = load_breast_cancer(return_X_y=True, as_frame=True)
    model = RandomForestClassifier(20, random_state=0).fit(frame[:300], truth[:300])
    rows, labels = frame[300:], truth[300:].to_numpy()
    found = permutation_importance(model, rows, labels, accuracy_score, repeats=2)
    assert np.array_equal(found, one_by_one(model, rows, labels, accuracy_score, 2))


def test_text_with_missing_values_agrees_with_the_definition(mixed: tuple[pd.DataFrame, np.ndarray]) -> None:
    rows, truth = mixed
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["town"]), remainder="passthrough")
    model = make_pipeline(encode, RandomForestClassifier(20, random_state=0)).fit(rows, truth)
    found = permutation_importance(model, rows, truth, accuracy_score, repeats=3)
    assert np.array_equal(found, one_by_one(model, rows, truth, accuracy_score, 3))
    assert found[1].mean() > 0.2


def test_scikit_learn_names_the_same_columns() -> None:
    frame, truth = load_breast_cancer(return_X_y=True, as_frame=True)
    model = RandomForestRegressor(20, random_state=0).fit(frame[:300], frame["mean area"][:300] + truth[:300])
    rows, numbers = frame[300:], (frame["mean area"] + truth)[300:].to_numpy()
    found = permutation_importance(model, rows, numbers, r2_score, repeats=5).mean(axis=1)
    theirs = plain_importance(model, rows, numbers, n_repeats=5, random_state=0).importances_mean
    assert found.argmax() == theirs.argmax()
    assert np.abs(found - theirs).max() < 0.2 * theirs.max()


def test_column_that_the_model_does_not_look_at_loses_nothing(mixed: tuple[pd.DataFrame, np.ndarray]) -> None:
    rows, truth = mixed
    encode = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), ["town"]), ("passthrough", ["size"]))
    model = make_pipeline(encode, RandomForestClassifier(20, random_state=0)).fit(rows, truth)
    found = permutation_importance(model, rows, truth, accuracy_score, repeats=3)
    assert found[2].tolist() == [0.0, 0.0, 0.0]


def test_many_copies_go_into_one_call_and_few_rows_into_memory() -> None:
    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(500, 200)), columns=[f"x{i}" for i in range(200)])
    truth = (rows["x7"] > 0).to_numpy()

    class Threshold:
        def predict(self, asked: pd.DataFrame) -> np.ndarray:
            return (asked["x7"] > 0).to_numpy()

    model = Counting(Threshold())
    found = permutation_importance(model, rows, truth, accuracy_score, repeats=3)
    assert found.shape == (200, 3)
    assert found[7].min() > 0.4
    assert np.delete(found, 7, axis=0).max() == 0
    assert sum(model.calls) == 500 + 200 * 3 * 500
    assert max(model.calls) <= 20_000
    assert len(model.calls) <= 16


def test_the_same_seed_gives_the_same_numbers(mixed: tuple[pd.DataFrame, np.ndarray]) -> None:
    rows, truth = mixed

    class Sign:
        def predict(self, asked: pd.DataFrame) -> np.ndarray:
            return (asked["noise"] > 0).to_numpy()

    first, second, other = (
        permutation_importance(Sign(), rows, truth, accuracy_score, repeats=2, random_state=seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)
