from __future__ import annotations

import numpy as np
import pytest

from trilho.gates import Verdict
from trilho.gates.threshold import judge_thresholds
from trilho.metrics import Outcome
from unit.gates.cases import evidence, labelled, rule


def verdict(name: str, value: float | None, limit: float) -> Verdict:
    measured = {} if value is None else {name: value}
    (found,) = judge_thresholds(evidence(metrics=measured), rule(thresholds={name: limit}))
    return found


def test_metric_above_its_limit_passes_and_below_is_refused() -> None:
    assert verdict("f1", 0.91, 0.9).passed
    assert verdict("f1", 0.89, 0.9).outcome == "fail"


def test_limit_that_is_just_reached_passes() -> None:
    assert verdict("f1", 0.9, 0.9).passed
    assert verdict("rmse", 3.5, 3.5).passed


def test_error_must_stay_below_its_limit() -> None:
    assert verdict("rmse", 3.4, 3.5).passed
    found = verdict("rmse", 3.6, 3.5)
    assert found.outcome == "fail"
    assert "at most 3.5 is required" in found.reason


def test_missing_metric_is_refused_and_named() -> None:
    found = verdict("recall", None, 0.8)
    assert found.outcome == "fail"
    assert "recall was not measured" in found.reason
    assert "evaluate.metrics" in found.remedy


def test_nan_score_is_refused() -> None:
    found = verdict("precision", float("nan"), 0.0)
    assert found.outcome == "fail"
    assert found.measured is None
    assert "undefined" in found.reason


def test_verdict_says_measured_and_required_and_which_setting_decided() -> None:
    found = verdict("f1", 0.87654, 0.9)
    assert (found.measured, found.required) == (0.87654, 0.9)
    assert found.reason == "f1 0.8765, at least 0.9 is required."
    assert found.setting == "evaluate.thresholds.f1"


def test_each_threshold_has_a_verdict_in_the_order_of_the_file() -> None:
    found = judge_thresholds(evidence(metrics={"f1": 0.9}), rule(thresholds={"recall": 0.5, "f1": 0.5}))
    assert [verdict.setting for verdict in found] == ["evaluate.thresholds.recall", "evaluate.thresholds.f1"]
    assert judge_thresholds(evidence(), rule()) == ()


def test_metric_of_the_users_own_is_better_when_greater() -> None:
    assert verdict("profit", 120.0, 100.0).passed
    assert not verdict("profit", 80.0, 100.0).passed


def test_interval_is_shown_where_the_predictions_are_known() -> None:
    truth = np.arange(400) % 2
    outcome = labelled(truth, np.arange(400) % 10 > 0)
    known = evidence(metrics={"accuracy": 0.9, "profit": 1.0}, outcome=outcome)
    accuracy, profit = judge_thresholds(known, rule(thresholds={"accuracy": 0.85, "profit": 0.5}))
    assert accuracy.interval is not None
    half = 1.645 * np.sqrt(0.9 * 0.1 / 400)
    assert accuracy.interval == pytest.approx((0.9 - half, 0.9 + half), abs=0.004)
    assert accuracy.detectable == pytest.approx(2.487 / 1.645 * half, rel=0.15)
    assert profit.interval is None
    low, high = accuracy.interval
    assert accuracy.reason == f"accuracy 0.9 (with 90 % confidence {low:.4f} to {high:.4f}), at least 0.85 is required."
    assert profit.reason == "profit 1, at least 0.5 is required."


def test_interval_stays_within_what_the_metric_can_be() -> None:
    outcome = labelled(np.arange(40) % 2, np.arange(40) > 0)
    known = evidence(metrics={"accuracy": 0.975}, outcome=outcome)
    (found,) = judge_thresholds(known, rule(thresholds={"accuracy": 0.9}))
    assert found.interval is not None
    assert found.interval[1] == 1.0


def test_interval_is_left_out_where_no_resample_differs() -> None:
    constant = Outcome(truth=np.arange(60) % 2, predicted=np.zeros(60, dtype=int), labels=(0, 1), positive=1)
    (found,) = judge_thresholds(
        evidence(metrics={"accuracy": 0.5}, outcome=constant), rule(thresholds={"accuracy": 0.4})
    )
    assert found.interval is None


def test_interval_is_left_out_where_the_number_was_measured_another_way() -> None:
    outcome = labelled(np.arange(400) % 2, np.arange(400) % 10 > 0)
    known = evidence(metrics={"accuracy": 0.95}, outcome=outcome)
    (found,) = judge_thresholds(known, rule(thresholds={"accuracy": 0.9}))
    assert found.passed
    assert found.interval is None


def test_interval_is_left_out_where_the_model_gives_no_probabilities() -> None:
    outcome = Outcome(truth=np.arange(60) % 2, predicted=np.arange(60) % 2, labels=(0, 1), positive=1)
    (found,) = judge_thresholds(evidence(metrics={"roc_auc": 0.9}, outcome=outcome), rule(thresholds={"roc_auc": 0.8}))
    assert found.passed
    assert found.interval is None
