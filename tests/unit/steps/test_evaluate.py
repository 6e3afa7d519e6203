from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics

from trilho.bundle import read_metadata
from trilho.data.dataset import Dataset
from trilho.errors import CannotPredict, InvalidProject, StepFailed
from trilho.importer import project_code
from trilho.metrics.calibration import Calibration
from trilho.monitoring import evidence_of
from trilho.steps.evaluate import positive_label
from trilho.steps.exporting import BUNDLE
from trilho.steps.facts import counted
from trilho.steps.materials import TEST, Materials
from unit.steps.cases import after, cancer, dataset, diabetes, mixed, module, project, run

RIDGE = {"estimator": "sklearn.linear_model.Ridge", "params": {}}
LOGISTIC = {"estimator": "sklearn.linear_model.LogisticRegression", "params": {"max_iter": 1000}}

Made = Callable[..., Materials]


@pytest.fixture
def made(tmp_path: Path) -> Made:
    def make(found: Dataset, **changes: Any) -> Materials:
        changes = {"evaluate": {"metrics": ("f1", "accuracy", "precision", "roc_auc")}, **changes}
        materials = after(project(tmp_path, **changes), found, "split")
        with project_code(tmp_path):
            for step in ("transform", "train", "evaluate"):
                run(step, materials)
        return materials

    return make


def three_labels() -> Dataset:
    random = np.random.default_rng(0)
    a = random.normal(size=300)
    words = np.select([a < -0.5, a < 0.5], ["low", "middle"], "high").astype(object)
    return dataset(pd.DataFrame({"a": a + random.normal(0, 0.3, 300), "b": random.normal(size=300), "target": words}))


def test_metrics_are_those_of_scikit_learn_on_both_parts(made: Made) -> None:
    materials = made(cancer(), train=LOGISTIC, transform={"using": "standard_scaler"})
    for part, rows, truth in (
        ("test", materials.test_rows, materials.truth(TEST)),
        ("train", materials.train_rows, materials.truth(1 - TEST)),
    ):
        answers, chances = materials.model.predict(rows), materials.model.predict_proba(rows)[:, 1]
        assert materials.evaluation[part] == pytest.approx(
            {
                "f1": metrics.f1_score(truth, answers),
                "accuracy": metrics.accuracy_score(truth, answers),
                "precision": metrics.precision_score(truth, answers),
                "roc_auc": metrics.roc_auc_score(truth, chances),
            }
        )
    assert materials.evaluation["rows"] == {"train": len(materials.train_rows), "test": len(materials.test_rows)}


@pytest.mark.parametrize("positive", [0, "0"])
def test_the_positive_class_is_the_one_that_was_asked_for(made: Made, positive: Any) -> None:
    materials = made(cancer(), positive_class=positive)
    truth, answers = materials.truth(TEST), materials.model.predict(materials.test_rows)
    assert materials.evaluation["positive"] == 0
    assert type(materials.evaluation["positive"]) is int
    assert materials.evaluation["test"]["f1"] == pytest.approx(metrics.f1_score(truth, answers, pos_label=0))
    assert metrics.f1_score(truth, answers, pos_label=0) != pytest.approx(metrics.f1_score(truth, answers))


def test_words_are_labels(made: Made) -> None:
    materials = made(mixed(), positive_class="gone")
    truth, answers = materials.truth(TEST), materials.model.predict(materials.test_rows)
    assert materials.evaluation["labels"] == ["gone", "stays"]
    assert materials.evaluation["label_names"] == ["gone", "stays"]
    assert materials.evaluation["positive"] == "gone"
    assert materials.evaluation["test"]["f1"] == pytest.approx(metrics.f1_score(truth, answers, pos_label="gone"))


def test_names_of_labels_come_from_the_data_where_it_has_them(made: Made) -> None:
    assert made(cancer(200)).evaluation["label_names"] == ["malignant", "benign"]


def test_names_that_do_not_fit_the_labels_are_not_used(made: Made) -> None:
    found = dataset(cancer(200).frame, label_names=("one", "two", "three"))
    assert made(found).evaluation["label_names"] == ["0", "1"]


def test_true_and_false_are_labels(made: Made) -> None:
    frame = cancer(200).frame
    materials = made(dataset(frame.assign(target=frame["target"] == 1)), positive_class=False)
    assert materials.evaluation["labels"] == [False, True]
    assert materials.evaluation["positive"] is False


def test_more_than_two_labels_have_no_positive_one(made: Made) -> None:
    materials = made(three_labels(), evaluate={"metrics": ("f1", "accuracy", "roc_auc")})
    truth, answers = materials.truth(TEST), materials.model.predict(materials.test_rows)
    assert materials.evaluation["positive"] is None
    assert materials.evaluation["labels"] == ["high", "low", "middle"]
    assert materials.evaluation["test"]["f1"] == pytest.approx(metrics.f1_score(truth, answers, average="macro"))


def test_a_regression_has_no_labels(made: Made) -> None:
    materials = made(
        diabetes(),
        task="regression",
        primary_metric="rmse",
        train={"estimator": "sklearn.linear_model.Ridge", "params": {}},
        evaluate={"metrics": ("rmse", "r2")},
    )
    truth, answers = materials.truth(TEST), materials.model.predict(materials.test_rows)
    assert materials.evaluation["test"] == pytest.approx(
        {"rmse": metrics.root_mean_squared_error(truth, answers), "r2": metrics.r2_score(truth, answers)}
    )
    assert (materials.evaluation["labels"], materials.evaluation["positive"]) == ([], None)


def test_sample_weights_weigh_the_metrics(made: Made) -> None:
    frame = cancer().frame
    weighed = dataset(frame.assign(w=np.where(frame["mean radius"] > 15, 50.0, 1.0)))
    materials = made(weighed, train={"sample_weight": "w"}, evaluate={"metrics": ("accuracy",)})
    truth, answers = materials.truth(TEST), materials.model.predict(materials.test_rows)
    weights = np.where(materials.test_rows["mean radius"] > 15, 50.0, 1.0)
    expected = metrics.accuracy_score(truth, answers, sample_weight=weights)
    assert materials.evaluation["test"]["accuracy"] == pytest.approx(expected)
    assert expected != metrics.accuracy_score(truth, answers)


def test_facts_begin_with_the_primary_metric(tmp_path: Path) -> None:
    settings = {"primary_metric": "accuracy", "evaluate": {"metrics": ("f1", "precision", "accuracy", "recall")}}
    materials = after(project(tmp_path, **settings), cancer(), "split", "transform", "train")
    facts = run("evaluate", materials)
    assert [part.split()[0] for part in facts.split(", ")] == ["accuracy", "f1", "precision"]
    assert facts.split(", ")[0] == f"accuracy {materials.evaluation['test']['accuracy']:.3f}"


# The user's own function.


def own(made: Made, tmp_path: Path, expression: str) -> Materials:
    module(tmp_path, "my_metrics", f"def evaluate(model, frame, truth):\n    return {expression}\n")
    return made(cancer(200), steps={"evaluate": "my_metrics:evaluate"}, evaluate={"metrics": ("f1",)})


def test_metrics_of_the_users_own_join_the_built_in_ones_and_replace_them(made: Made, tmp_path: Path) -> None:
    found = own(made, tmp_path, '{"rows": len(frame), "f1": 0.125, "columns": float(len(frame.columns))}')
    materials = found.evaluation["test"]
    assert materials == {"f1": 0.125, "rows": len(found.test_rows), "columns": 30}


def test_the_users_function_gets_the_model_the_test_rows_and_their_truth(made: Made, tmp_path: Path) -> None:
    found = own(made, tmp_path, '{"mine": (model.predict(frame) == truth).mean()}')
    right = found.model.predict(found.test_rows) == found.truth(TEST)
    assert found.evaluation["test"]["mine"] == right.mean()


@pytest.mark.parametrize("expression", ["3", '{"a": "high"}', "None", '{"a": [1, 2]}'])
def test_an_answer_that_is_no_dict_of_numbers_is_named(made: Made, tmp_path: Path, expression: str) -> None:
    with pytest.raises(StepFailed, match="my_metrics:evaluate returned") as caught:
        own(made, tmp_path, expression)
    assert "dict of metric names and numbers" in caught.value.remedy


# Errors.


def test_a_positive_class_that_is_no_label_is_refused_with_the_labels(made: Made) -> None:
    with pytest.raises(InvalidProject, match="positive_class: yes is none of the labels") as caught:
        made(mixed(), positive_class="yes")
    assert "gone, stays" in caught.value.why


def test_the_last_of_two_labels_is_positive_unless_told() -> None:
    assert positive_label((0, 1), None) == 1
    assert positive_label(("a", "b"), None) == "b"
    assert positive_label(("a", "b", "c"), None) is None
    assert positive_label(("a", "b", "c"), "b") == "b"
    assert positive_label((), None) is None


BREAKING = """
import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin


def dummies(frame):
    import pandas as pd
    return pd.get_dummies(frame["city"].fillna("none")).iloc[:, : len(frame) % 2 + 1]


class Wide(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full((len(X), 2), self.classes_[0])
"""


def test_a_transform_that_does_not_take_new_rows_is_blamed_on_them(made: Made, tmp_path: Path) -> None:
    module(tmp_path, "breaking", BREAKING)
    with pytest.raises(StepFailed, match="The trained model cannot predict") as caught:
        made(mixed(299), transform={"using": "breaking:dummies"})  # one part has an odd number of rows, one an even one
    assert "new categories" in caught.value.remedy


def test_answers_of_another_shape_are_named(made: Made, tmp_path: Path) -> None:
    module(tmp_path, "breaking", BREAKING)
    with pytest.raises(CannotPredict, match="shape"):
        made(cancer(200), train={"estimator": "breaking:Wide", "params": {}})


def test_a_metric_that_needs_chances_says_so_of_a_model_without_them(made: Made) -> None:
    with pytest.raises(CannotPredict, match="roc_auc needs probabilities"):
        made(cancer(200), train={"estimator": "sklearn.linear_model.RidgeClassifier", "params": {}})


def test_a_metric_that_is_not_defined_is_kept_as_such(made: Made, tmp_path: Path) -> None:
    module(tmp_path, "my_metrics", "def evaluate(model, frame, truth):\n    return {'mine': float('nan')}\n")
    materials = made(cancer(200), steps={"evaluate": "my_metrics:evaluate"}, evaluate={"metrics": ("f1",)})
    text = (materials.folders["evaluate"] / "evaluation.json").read_text(encoding="utf-8")
    assert np.isnan(json.loads(text)["test"]["mine"])


@pytest.mark.parametrize(("number", "worded"), [(0, "0 rows"), (1, "1 row"), (999, "999 rows"), (42118, "42,118 rows")])
def test_things_are_counted_with_commas_and_their_plural(number: int, worded: str) -> None:
    assert counted(number, "row") == worded


def test_what_monitoring_will_ask_is_kept_and_goes_with_the_version(made: Made) -> None:
    materials = made(cancer(), train=LOGISTIC, transform={"using": "standard_scaler"})
    found = materials.evaluation
    assert found["calibration"]["rows"] == found["rows"]["test"]
    assert 0 <= found["calibration"]["error"] < 0.2
    assert set(found["importance"]) == {str(name) for name in materials.test_rows.columns}
    with project_code(materials.project.root):
        run("register", materials)
    calibration, importance = evidence_of(read_metadata(materials.folders["register"] / BUNDLE))
    assert calibration == Calibration(**found["calibration"])
    assert importance == found["importance"]


def test_numbers_have_importance_and_no_calibration(made: Made) -> None:
    materials = made(diabetes(), task="regression", evaluate={"metrics": ("r2",)}, train=RIDGE)
    assert materials.evaluation["calibration"] is None
    assert max(materials.evaluation["importance"].values()) > 0
    assert evidence_of({"calibration": None}) == (None, {})
