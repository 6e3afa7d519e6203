from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score

from trilho.metrics import METRICS, Outcome, compute
from trilho.metrics.metric import CELLS


def test_naming_the_room_loads_no_numpy() -> None:
    code = "import sys, trilho.metrics, trilho.gates; assert 'numpy' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_every_metric_is_described() -> None:
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.help.endswith(".")
        assert metric.range[0] < metric.range[1]
        assert metric.greater_is_better or "lower is better" in metric.help


def test_perfect_prediction_has_the_best_value_of_the_range() -> None:
    classes = Outcome(
        truth=np.array([0, 1, 1]),
        predicted=np.array([0, 1, 1]),
        probabilities=np.array([[1.0, 0], [0, 1], [0, 1]]),
        labels=(0, 1),
        positive=1,
    )
    numbers = Outcome(truth=np.array([1.0, 2, 4]), predicted=np.array([1.0, 2, 4]))
    for metric in METRICS.values():
        value = metric.score(numbers if metric.needs == "values" else classes)
        assert value == pytest.approx(metric.range[1] if metric.greater_is_better else metric.range[0], abs=1e-12)


def test_many_resamples_are_worked_off_in_steps_with_the_same_values() -> None:
    rng = np.random.default_rng(0)
    n = 700
    resamples = 3 * (CELLS // n)
    high = rng.uniform(size=n)
    outcome = Outcome(
        truth=(rng.uniform(size=n) < high).astype(int),
        predicted=(high > 0.5).astype(int),
        probabilities=np.column_stack([1 - high, high]),
        labels=(0, 1),
        positive=1,
    )
    weights = rng.integers(0, 3, (resamples, n))
    for name in ("f1", "roc_auc", "average_precision", "balanced_accuracy"):
        values = METRICS[name].score(outcome, weights)
        assert values.shape == (resamples,)
        for row in (0, resamples // 2, resamples - 1):
            assert values[row] == pytest.approx(METRICS[name].score(outcome, weights[row]))


def test_breast_cancer_metrics_are_those_of_scikit_learn() -> None:
    X, y = load_breast_cancer(return_X_y=True)
    model = LogisticRegression(max_iter=10_000).fit(X[::2] / 100, y[::2])
    truth, predicted, probabilities = y[1::2], model.predict(X[1::2] / 100), model.predict_proba(X[1::2] / 100)
    outcome = Outcome(truth=truth, predicted=predicted, probabilities=probabilities, labels=(0, 1), positive=0)
    values = compute(["f1", "roc_auc"], outcome)
    assert values["f1"] == pytest.approx(f1_score(truth, predicted, pos_label=0))
    assert values["roc_auc"] == pytest.approx(roc_auc_score(truth == 0, probabilities[:, 0]))
