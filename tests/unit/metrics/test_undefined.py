"""Where a metric has no value it says NaN, and the gate refuses NaN; it never says 0 or 1 instead."""

from __future__ import annotations

import numpy as np
import pytest

from trilho.errors import BadData, CannotPredict, UnknownName
from trilho.metrics import METRICS, Outcome, compute


def labelled(truth: list[int], predicted: list[int], **more: object) -> Outcome:
    return Outcome(truth=np.array(truth), predicted=np.array(predicted), labels=(0, 1), positive=1, **more)  # type: ignore[arg-type]


def scored(truth: list[int], scores: list[float]) -> Outcome:
    high = np.array(scores)
    return labelled(truth, list((high > 0.5).astype(int)), probabilities=np.column_stack([1 - high, high]))


def test_precision_without_a_positive_prediction_is_undefined() -> None:
    assert np.isnan(METRICS["precision"].score(labelled([0, 1, 1], [0, 0, 0])))


def test_recall_without_a_positive_row_is_undefined() -> None:
    assert np.isnan(METRICS["recall"].score(labelled([0, 0, 0], [0, 1, 0])))


def test_f1_is_zero_when_every_positive_is_missed_and_undefined_when_there_is_none() -> None:
    assert METRICS["f1"].score(labelled([0, 1, 1], [0, 0, 0])) == 0
    assert np.isnan(METRICS["f1"].score(labelled([0, 0], [0, 0])))


def test_ranking_of_one_class_is_undefined() -> None:
    assert np.isnan(METRICS["roc_auc"].score(scored([1, 1], [0.2, 0.9])))
    assert np.isnan(METRICS["average_precision"].score(scored([0, 0], [0.2, 0.9])))


def test_resample_without_a_class_is_undefined_and_the_others_are_not() -> None:
    outcome = scored([0, 1, 1], [0.1, 0.9, 0.8])
    values = METRICS["roc_auc"].score(outcome, np.array([[0, 2, 1], [1, 1, 1]]))
    assert np.isnan(values[0])
    assert values[1] == 1


def test_label_that_no_resampled_row_has_leaves_multi_class_areas_undefined() -> None:
    outcome = Outcome(
        truth=np.array([0, 1, 2]), predicted=np.array([0, 1, 2]), probabilities=np.eye(3), labels=(0, 1, 2)
    )
    for name in ("roc_auc", "average_precision"):
        values = METRICS[name].score(outcome, np.array([[1, 1, 0], [1, 1, 1]]))
        assert np.isnan(values[0])
        assert values[1] == 1


def test_model_that_gives_up_a_class_does_not_gain_precision() -> None:
    truth = np.array([0, 0, 1, 1, 2, 2])
    tries = Outcome(truth=truth, predicted=np.array([0, 0, 1, 1, 2, 0]), labels=(0, 1, 2))
    gives_up = Outcome(truth=truth, predicted=np.array([0, 0, 1, 1, 0, 0]), labels=(0, 1, 2))
    assert METRICS["precision"].score(gives_up) < METRICS["precision"].score(tries)


def test_r2_of_a_constant_truth_is_undefined() -> None:
    constant = Outcome(truth=np.full(7, 0.1), predicted=np.linspace(0, 1, 7))
    assert np.isnan(METRICS["r2"].score(constant))
    varied = Outcome(truth=np.array([0.1, 0.1, 0.1, 9.7]), predicted=np.zeros(4))
    assert np.isnan(METRICS["r2"].score(varied, np.array([3, 2, 2, 0])))


@pytest.mark.parametrize("name", [name for name in METRICS if METRICS[name].needs != "labels"])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_prediction_that_is_no_number_leaves_nothing_to_measure(name: str, bad: float) -> None:
    outcome = scored([0, 1, 0, 1], [0.1, 0.9, 0.2, bad])
    if METRICS[name].needs == "values":
        outcome = Outcome(truth=np.arange(4.0), predicted=np.array([1, 2, 3, bad]))
    assert np.isnan(METRICS[name].score(outcome))


@pytest.mark.parametrize("name", list(METRICS))
def test_rows_of_no_weight_leave_nothing_to_measure(name: str) -> None:
    outcome = scored([0, 1, 0, 1], [0.1, 0.9, 0.2, 0.4])
    if METRICS[name].needs == "values":
        outcome = Outcome(truth=np.arange(4.0), predicted=np.arange(4.0) + 1)
    assert np.isnan(METRICS[name].score(outcome, np.zeros(4)))
    nothing = np.array([])
    empty = Outcome(truth=nothing, predicted=nothing, probabilities=np.empty((0, 2)), labels=(0, 1), positive=1)
    assert np.isnan(METRICS[name].score(empty))


def test_class_that_training_never_saw_counts_as_missed() -> None:
    outcome = Outcome(
        truth=np.array(["a", "b", "new"]),
        predicted=np.array(["a", "b", "b"]),
        probabilities=np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]),
        labels=("a", "b"),
    )
    values = compute(["accuracy", "balanced_accuracy", "log_loss"], outcome)
    assert values["accuracy"] == values["balanced_accuracy"] == pytest.approx(2 / 3)
    assert values["log_loss"] > 10


def test_probabilities_that_a_metric_needs_are_asked_for() -> None:
    with pytest.raises(CannotPredict, match="roc_auc needs probabilities") as caught:
        compute(["roc_auc"], labelled([0, 1], [0, 1]))
    assert "predict_proba" in caught.value.remedy


def test_unknown_metric_names_the_near_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'roc_auc'"):
        compute(["roc_acu"], labelled([0, 1], [0, 1]))


def test_metric_of_another_task_is_refused_with_those_that_fit() -> None:
    with pytest.raises(UnknownName, match="rmse does not measure classification") as caught:
        compute(["rmse"], labelled([0, 1], [0, 1]))
    assert "accuracy" in caught.value.why
    assert "mae" not in caught.value.why


def test_column_of_predictions_is_refused_instead_of_spread_over_all_rows() -> None:
    with pytest.raises(CannotPredict, match=r"\(3, 1\)"):
        Outcome(truth=np.arange(3.0), predicted=np.arange(3.0).reshape(3, 1))


def test_probabilities_of_other_labels_are_refused() -> None:
    with pytest.raises(CannotPredict, match=r"not \(2, 2\)"):
        labelled([0, 1], [0, 1], probabilities=np.ones((2, 3)))


@pytest.mark.parametrize("weights", [[1.0, -1.0], [1.0, np.nan], [1.0], [np.inf, 1.0]])
def test_weights_that_are_none_are_refused(weights: list[float]) -> None:
    with pytest.raises(BadData, match=r"[Ww]eight"):
        METRICS["accuracy"].score(labelled([0, 1], [0, 1]), np.array(weights))
