"""Every metric has scikit-learn's value: plain, with sample weights, and on repeated rows."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable

import numpy as np
import pytest
import sklearn.metrics as sk
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.exceptions import UndefinedMetricWarning

from trilho.metrics import METRICS, Outcome

Reference = Callable[[Outcome, np.ndarray], float]


def hit(outcome: Outcome) -> np.ndarray:
    return outcome.truth == outcome.positive


def positive_scores(outcome: Outcome) -> np.ndarray:
    assert outcome.probabilities is not None
    return outcome.probabilities[:, outcome.labels.index(outcome.positive)]


def of_label(function: Callable[..., float]) -> Reference:
    def value(o: Outcome, w: np.ndarray) -> float:
        average = {"average": "macro", "zero_division": 0}
        if o.positive is not None:
            average = {"average": "binary", "pos_label": o.positive, "zero_division": np.nan}
        return float(function(o.truth, o.predicted, sample_weight=w, **average))

    return value


def ranked(o: Outcome, w: np.ndarray) -> float:
    if o.positive is not None:
        return float(sk.roc_auc_score(hit(o), positive_scores(o), sample_weight=w))
    options = {"multi_class": "ovr", "average": "macro", "labels": list(o.labels)}
    return float(sk.roc_auc_score(o.truth, o.probabilities, sample_weight=w, **options))


def averaged(o: Outcome, w: np.ndarray) -> float:
    if o.positive is not None:
        return float(sk.average_precision_score(hit(o), positive_scores(o), sample_weight=w))
    return float(sk.average_precision_score(o.truth, o.probabilities, sample_weight=w))


CLASSIFICATION: dict[str, Reference] = {
    "accuracy": lambda o, w: sk.accuracy_score(o.truth, o.predicted, sample_weight=w),
    "balanced_accuracy": lambda o, w: sk.balanced_accuracy_score(o.truth, o.predicted, sample_weight=w),
    "precision": of_label(sk.precision_score),
    "recall": of_label(sk.recall_score),
    "f1": of_label(sk.f1_score),
    "roc_auc": ranked,
    "average_precision": averaged,
    "log_loss": lambda o, w: sk.log_loss(o.truth, o.probabilities, sample_weight=w, labels=list(o.labels)),
    "brier": lambda o, w: sk.brier_score_loss(o.truth, o.probabilities, sample_weight=w, labels=list(o.labels)),
}
REGRESSION: dict[str, Reference] = {
    "rmse": lambda o, w: sk.root_mean_squared_error(o.truth, o.predicted, sample_weight=w),
    "mse": lambda o, w: sk.mean_squared_error(o.truth, o.predicted, sample_weight=w),
    "mae": lambda o, w: sk.mean_absolute_error(o.truth, o.predicted, sample_weight=w),
    "r2": lambda o, w: sk.r2_score(o.truth, o.predicted, sample_weight=w),
    "mape": lambda o, w: sk.mean_absolute_percentage_error(o.truth, o.predicted, sample_weight=w),
}
LABELS = {2: (("no", "yes"), ("b", "a"), (0, 1), (False, True)), 3: ((0, 1, 2), ("a", "b", "c")), 4: ((1, 2, 5, 9),)}


@st.composite
def classified(draw: st.DrawFn) -> tuple[Outcome, np.ndarray, np.ndarray]:
    """An outcome with every label in the truth, sample weights, and how often a resample drew each row."""
    k = draw(st.sampled_from([2, 2, 3, 4]))
    labels = tuple(sorted(draw(st.sampled_from(LABELS[k]))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2 * k, 60))
    truth = np.r_[np.arange(k), rng.integers(0, k, n - k)]
    # A coarse grid of probabilities makes ties common; 0 and 1 among them try the clipping.
    scores = rng.integers(0, draw(st.sampled_from([2, 5, 1000])), (n, k)) + (np.eye(k)[truth] * 2)
    scores[scores.sum(axis=1) == 0] = 1
    probabilities = scores / scores.sum(axis=1, keepdims=True)
    predicted = probabilities.argmax(axis=1)
    positive = labels[draw(st.integers(0, 1))] if k == 2 else None
    names = np.array(labels)
    outcome = Outcome(
        truth=names[truth], predicted=names[predicted], probabilities=probabilities, labels=labels, positive=positive
    )
    counts = rng.integers(0, 4, n)
    counts[:k] += 1  # scikit-learn raises where a label is gone; that it is undefined here has its own test
    return outcome, rng.uniform(0.01, 5, n), counts


@st.composite
def estimated(draw: st.DrawFn) -> tuple[Outcome, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    n = draw(st.integers(2, 60))
    scale, shift = draw(st.sampled_from([1e-3, 1.0, 1e6])), draw(st.sampled_from([0.0, 10.0]))
    truth = scale * (rng.standard_t(3, n) + shift)
    outcome = Outcome(truth=truth, predicted=truth + scale * rng.normal(0, 1, n))
    counts = rng.integers(0, 4, n)
    counts[:2] += 1
    return outcome, rng.uniform(0.01, 5, n), counts


def repeated(outcome: Outcome, counts: np.ndarray) -> Outcome:
    probabilities = None if outcome.probabilities is None else np.repeat(outcome.probabilities, counts, axis=0)
    return Outcome(
        truth=np.repeat(outcome.truth, counts),
        predicted=np.repeat(outcome.predicted, counts),
        probabilities=probabilities,
        labels=outcome.labels,
        positive=outcome.positive,
    )


def check(name: str, reference: Reference, case: tuple[Outcome, np.ndarray, np.ndarray]) -> None:
    outcome, weights, counts = case
    stacked = np.vstack([np.ones(outcome.rows), weights, counts, 3 * weights])
    drawn = repeated(outcome, counts)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)
        warnings.filterwarnings("ignore", "y_pred contains classes not in y_true")
        expected = [
            reference(outcome, np.ones(outcome.rows)),
            reference(outcome, weights),
            reference(drawn, np.ones(drawn.rows)),
            reference(outcome, 3 * weights),
        ]
    assert METRICS[name].score(outcome, stacked) == pytest.approx(expected, rel=1e-9, abs=1e-9, nan_ok=True)
    assert METRICS[name].score(outcome) == pytest.approx(expected[0], rel=1e-9, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize("name", CLASSIFICATION)
@settings(max_examples=60, deadline=None)
@given(case=classified())
def test_classification_metric_equals_scikit_learn(name: str, case: tuple[Outcome, np.ndarray, np.ndarray]) -> None:
    check(name, CLASSIFICATION[name], case)


@pytest.mark.parametrize("name", REGRESSION)
@settings(max_examples=60, deadline=None)
@given(case=estimated())
def test_regression_metric_equals_scikit_learn(name: str, case: tuple[Outcome, np.ndarray, np.ndarray]) -> None:
    check(name, REGRESSION[name], case)


def test_every_metric_is_compared_with_scikit_learn() -> None:
    assert set(CLASSIFICATION) | set(REGRESSION) == set(METRICS)


def test_single_precision_probabilities_are_clipped_as_scikit_learn_clips_them() -> None:
    given_as = np.array([[1, 0], [0, 1], [1, 0]], dtype=np.float32)
    outcome = Outcome(
        truth=np.array([0, 1, 1]), predicted=np.array([0, 1, 0]), probabilities=given_as, labels=(0, 1), positive=1
    )
    assert METRICS["log_loss"].score(outcome) == pytest.approx(sk.log_loss([0, 1, 1], given_as), rel=1e-6)
    assert math.isfinite(METRICS["log_loss"].score(outcome))
