from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from trilho.data.dataset import Dataset
from trilho.errors import ImportFailed, StepFailed
from trilho.importer import project_code
from trilho.steps.materials import TEST, Materials
from unit.steps.cases import FOREST, after, cancer, dataset, diabetes, mixed, module, project, run, wide

MINE = """
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression


def fitted(X, y, C=1.0):
    return LogisticRegression(C=C, max_iter=10_000).fit(X, y)


def weighed(X, y, sample_weight=None):
    model = LogisticRegression(max_iter=10_000).fit(X, y, sample_weight)
    model.weights_seen_ = sample_weight
    return model


def unfinished(X, y):
    return "a model"


def fails(X, y):
    raise RuntimeError("out of luck")


class Majority(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        values, counts = np.unique(y, return_counts=True)
        self.answer_ = values[counts.argmax()]
        return self

    def predict(self, X):
        return np.full(len(X), self.answer_)


class NoneOfScikitLearns:
    def fit(self, X, y):
        self.answer = y[0]
        return self

    def predict(self, X):
        return np.full(len(X), self.answer)


class OnlyPredicts:
    def __init__(self, answer):
        self.answer = answer

    def predict(self, X):
        return np.full(len(X), self.answer)


def without_fit(X, y):
    return OnlyPredicts(y[0])


ready = LogisticRegression()
"""

Make = Callable[..., Materials]


@pytest.fixture
def made(tmp_path: Path) -> Make:
    """Trains with these settings of `train`, and gives the materials after it."""
    module(tmp_path, "my_models", MINE)

    def make(estimator: str, found: Dataset | None = None, transform: str = "default", **changes: Any) -> Materials:
        task = changes.pop("task", "classification")
        changes = {"params": {}, **changes, "estimator": estimator}
        settings = {"train": changes, "transform": {"using": transform}, "task": task}
        materials = after(project(tmp_path, **settings), found or cancer(200), "split", "transform")
        with project_code(tmp_path):
            run("train", materials)
            materials.model  # noqa: B018 - read while the project's code can be imported
        return materials

    return make


def test_the_model_is_a_pipeline_from_raw_rows_to_answers(made: Make) -> None:
    materials = made(FOREST, mixed(), params={"n_estimators": 30})
    assert [name for name, _ in materials.model.steps] == ["transform", "estimator"]
    answers = materials.model.predict(materials.test_rows)
    assert set(answers) == {"gone", "stays"}
    assert (answers == materials.truth(TEST)).mean() > 0.65


def test_facts_name_the_estimator_and_count_the_training_rows(tmp_path: Path) -> None:
    materials = after(project(tmp_path), cancer(), "split", "transform")
    assert run("train", materials) == f"RandomForestClassifier, {len(materials.train_rows)} rows"


def test_params_and_the_seed_reach_the_estimator(made: Make) -> None:
    model = made(FOREST, params={"n_estimators": 7, "max_depth": 2}, random_state=5).model.steps[-1][1]
    assert (model.n_estimators, model.max_depth, model.random_state) == (7, 2, 5)


def test_a_seed_among_the_params_goes_before_the_seed_of_the_section(made: Make) -> None:
    model = made(FOREST, params={"n_estimators": 2, "random_state": 9}, random_state=5).model.steps[-1][1]
    assert model.random_state == 9


def test_an_estimator_without_a_seed_gets_none(made: Make) -> None:
    assert made("sklearn.naive_bayes.GaussianNB").model.steps[-1][1].get_params() == {
        "priors": None,
        "var_smoothing": 1e-09,
    }


@pytest.mark.parametrize("class_weight", ["balanced", {0: 1, 1: 50}])
def test_class_weight_moves_the_answers(made: Make, tmp_path: Path, class_weight: Any) -> None:
    materials = made("sklearn.linear_model.LogisticRegression", transform="standard_scaler", params={"C": 0.001})
    plain = materials.model.predict_proba(materials.test_rows)[:, 1].mean()
    other = after(
        project(
            tmp_path / "other",
            transform={"using": "standard_scaler"},
            train={
                "estimator": "sklearn.linear_model.LogisticRegression",
                "params": {"C": 0.001, "class_weight": class_weight},
            },
        ),
        cancer(200),
        "split",
        "transform",
        "train",
    )
    moved = other.model.predict_proba(other.test_rows)[:, 1].mean()
    direct = LogisticRegression(C=0.001, class_weight=class_weight, random_state=42)
    scaled = other.model[0].transform(other.train_rows)
    assert moved != plain
    assert (
        moved
        == direct.fit(scaled, other.truth(0)).predict_proba(other.model[0].transform(other.test_rows))[:, 1].mean()
    )


def test_sample_weights_are_those_of_the_training_rows(made: Make) -> None:
    frame = cancer(200).frame
    weighed = dataset(frame.assign(w=np.where(frame["mean radius"] > 15, 100.0, 0.01)))
    materials = made("my_models:weighed", weighed, sample_weight="w")
    seen = materials.model.steps[-1][1].weights_seen_
    assert np.array_equal(seen, np.where(materials.train_rows["mean radius"] > 15, 100.0, 0.01))


def test_sample_weights_move_an_estimator_of_scikit_learn(made: Make) -> None:
    frame = cancer(200).frame
    weighed = dataset(frame.assign(w=np.where(frame["target"] == 1, 100.0, 1.0)))
    materials = made(FOREST, weighed, params={"max_depth": 2, "n_estimators": 10}, sample_weight="w")
    direct = RandomForestClassifier(max_depth=2, n_estimators=10, random_state=42)
    truth = materials.truth(0)
    direct.fit(materials.train_rows.to_numpy(), truth, np.where(truth == 1, 100.0, 1.0))
    probabilities = materials.model.predict_proba(materials.test_rows)
    assert np.array_equal(probabilities, direct.predict_proba(materials.test_rows.to_numpy()))


def test_a_function_that_takes_no_weights_is_not_given_any(made: Make) -> None:
    weighed = dataset(cancer(200).frame.assign(w=1.0))
    assert made("my_models:fitted", weighed, transform="standard_scaler", sample_weight="w").model


def test_a_function_of_the_users_gets_the_params(made: Make) -> None:
    model = made("my_models:fitted", transform="standard_scaler", params={"C": 0.5}).model
    assert model.steps[-1][1].C == 0.5


def test_a_step_of_the_users_goes_before_the_section(tmp_path: Path) -> None:
    module(tmp_path, "my_models", MINE)
    settings: dict[str, Any] = {"train": {"params": {}}, "steps": {"train": "my_models:fitted"}}
    materials = after(project(tmp_path, **settings), cancer(200), "split", "transform")
    with project_code(tmp_path):
        assert run("train", materials).startswith("LogisticRegression")


def test_an_estimator_of_the_users_own_is_a_model(made: Make) -> None:
    materials = made("my_models:Majority")
    answers = materials.model.predict(materials.test_rows)
    assert len(set(answers.tolist())) == 1


@pytest.mark.parametrize("estimator", ["my_models:NoneOfScikitLearns", "my_models:without_fit"])
def test_what_scikit_learn_would_not_run_is_refused_before_it_is_kept(made: Make, estimator: str) -> None:
    with pytest.raises(StepFailed, match="cannot be the last step of a scikit-learn Pipeline") as caught:
        made(estimator)
    assert estimator in caught.value.what
    assert "BaseEstimator" in caught.value.remedy


def test_regression_is_trained(made: Make) -> None:
    materials = made("sklearn.linear_model.Ridge", diabetes(), task="regression")
    assert np.corrcoef(materials.model.predict(materials.test_rows), materials.truth(TEST))[0, 1] > 0.5


def test_hist_gradient_boosting_takes_missing_values_itself(made: Make) -> None:
    frame = cancer(200).frame
    frame.iloc[::3, 0] = np.nan
    materials = made("sklearn.ensemble.HistGradientBoostingClassifier", dataset(frame), "none", params={"max_iter": 5})
    assert (materials.model.predict(materials.test_rows) == materials.truth(TEST)).mean() > 0.8


def test_lightgbm_takes_the_mixed_data(made: Make) -> None:
    pytest.importorskip("lightgbm", reason='pip install "trilho[lightgbm]"')
    params = {"n_estimators": 20, "min_child_samples": 5, "verbose": -1, "n_jobs": 1}
    materials = made("lightgbm.LGBMClassifier", mixed(), params=params)
    assert (materials.model.predict(materials.test_rows) == materials.truth(TEST)).mean() > 0.6


def test_200_columns_are_trained_on(made: Make) -> None:
    materials = made(FOREST, wide(), params={"n_estimators": 50})
    assert materials.model.n_features_in_ == 200
    assert (materials.model.predict(materials.test_rows) == materials.truth(TEST)).mean() > 0.6


@pytest.mark.parametrize(
    ("estimator", "changes", "parts"),
    [
        (FOREST, {"params": {"max_dept": 3}}, ["'max_dept'", "Did you mean 'max_depth'?", "train.params", "n_jobs"]),
        (FOREST, {"params": {"zzz": 3}}, ["RandomForestClassifier has no parameter 'zzz'.", "It takes: bootstrap"]),
        (FOREST, {"params": {"n_estimators": "many"}}, [f"Training {FOREST} failed", "n_estimators", "'many'"]),
        ("my_models:fitted", {"params": {"c": 1}}, ["Training my_models:fitted failed", "'c'"]),
        ("my_models:fails", {}, ["Training my_models:fails failed", "RuntimeError: out of luck"]),
        ("my_models:unfinished", {}, ["my_models:unfinished returned str, which cannot predict"]),
        ("my_models:ready", {}, ["my_models:ready"]),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_said_by_its_name(
    made: Make, estimator: str, changes: dict[str, Any], parts: list[str]
) -> None:
    with pytest.raises(StepFailed) as caught:
        made(estimator, **changes)
    for part in parts:
        assert part in str(caught.value)


def test_an_estimator_that_takes_no_weights_is_named_with_the_setting(made: Make) -> None:
    weighed = dataset(cancer(200).frame.assign(w=1.0))
    with pytest.raises(StepFailed, match="KNeighborsClassifier takes no sample_weight") as caught:
        made("sklearn.neighbors.KNeighborsClassifier", weighed, sample_weight="w")
    assert "train.sample_weight" in caught.value.remedy


def test_an_estimator_that_is_not_there_names_the_near_one(made: Make) -> None:
    with pytest.raises(ImportFailed, match="RandomForestClassifier"):
        made("sklearn.ensemble.RandomForestClasifier")
