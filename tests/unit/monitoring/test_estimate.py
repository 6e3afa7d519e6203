"""Estimates beside the truth that they do not know."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from shipped import Shipped
from trilho.bundle import DriftProfile, Schema
from trilho.journal import Rows
from trilho.metrics import METRICS, Outcome
from trilho.metrics.calibration import Calibration, calibration
from trilho.monitoring import Estimate, Performance, Reference, Sample, estimate_metrics
from trilho.monitoring.html import render
from unit.bundle.tables import cancer
from unit.monitoring.windows import journaled, reference, report, trained

NAMES = ("accuracy", "precision", "recall", "f1", "roc_auc", "brier", "rmse")
FINE = Calibration(rows=500, error=0.01, p_value=0.5)


def rows(chances: np.ndarray, *, version: str = "3") -> Rows:
    """As the journal holds what was answered with these probabilities of 1."""
    size = len(chances)
    return Rows(
        ids=np.array([f"r-{row}" for row in range(size)], dtype=object),
        times=np.arange(size).astype("datetime64[us]"),
        models=np.array(["tried"] * size, dtype=object),
        versions=np.array([version] * size, dtype=object),
        latencies=np.zeros(size),
        columns={},
        labels=(chances > 0.5).astype(int),
        probabilities=np.column_stack([1 - chances, chances]),
    )


def known(tested: Calibration | None = FINE) -> Reference:
    schema = Schema(task="classification", target="y", fields=(), labels=(0, 1), label_names=("no", "yes"), positive=1)
    return Reference(schema=schema, profile=DriftProfile(rows=0, columns=()), calibration=tested)


def estimated(chances: np.ndarray, tested: Calibration | None = FINE) -> Estimate:
    drawn = Sample("tried", "3")
    drawn.add(rows(chances))
    found = estimate_metrics(drawn, known(tested), metrics=NAMES, min_rows=100)
    assert found is not None
    return found


def true_metrics(chances: np.ndarray, truth: np.ndarray) -> dict[str, float]:
    came = Outcome(
        truth=truth,
        predicted=(chances > 0.5).astype(int),
        probabilities=np.column_stack([1 - chances, chances]),
        labels=(0, 1),
        positive=1,
    )
    return {name: float(METRICS[name].score(came)) for name in NAMES if name != "rmse"}


def test_estimate_is_the_truth_within_its_interval_as_often_as_it_says() -> None:
    """Inputs move to where the model is less sure, from window to window; its probabilities stay right."""
    inside = dict.fromkeys(NAMES[:-1], 0)
    for turn in range(40):
        dice = np.random.default_rng(turn)
        chances = dice.beta(0.3 + turn / 40, 0.4 + turn / 30, 600)
        truth = (dice.random(600) < chances).astype(int)
        for one in estimated(chances).estimated:
            low, high = one.interval
            inside[one.metric] += low <= true_metrics(chances, truth)[one.metric] <= high
    assert min(inside.values()) >= 33, "38 of 40 are due; fewer than 33 come less than once in a thousand times"


def test_estimate_falls_when_inputs_move_to_where_the_model_is_unsure() -> None:
    dice = np.random.default_rng(1)
    sure, unsure = (estimated(dice.beta(one, one, 2000)).estimated[0] for one in (0.1, 3.0))
    assert (sure.metric, unsure.metric) == ("accuracy", "accuracy")
    assert sure.interval[0] > 0.9
    assert unsure.interval[1] < 0.75


def test_estimate_is_wrong_where_the_same_inputs_mean_something_else() -> None:
    """Concept drift, which no estimate of this kind can see: it stays as sure as the model is."""
    dice = np.random.default_rng(2)
    chances = dice.beta(0.3, 0.3, 2000)
    truth = (dice.random(2000) < 1 - chances).astype(int)  # the opposite of what it was
    accuracy = estimated(chances).estimated[0]
    assert accuracy.interval[0] > 0.8
    assert true_metrics(chances, truth)["accuracy"] < 0.2


@pytest.mark.parametrize("seed", range(5))
def test_estimate_for_breast_cancer_holds_on_rows_that_came_later(seed: int) -> None:
    """A third is trained on, a third says whether probabilities are right, a third is answered without its truth."""
    frame, truth = cancer()
    order = np.random.default_rng(seed).permutation(len(frame))
    train, test, later = np.array_split(order, 3)
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(frame.iloc[train], truth.iloc[train])

    def said(part: np.ndarray) -> np.ndarray:
        return np.asarray(model.predict_proba(frame.iloc[part])[:, 1])

    chances = said(test)
    tested = calibration(
        Outcome(
            truth=truth.iloc[test].to_numpy(),
            predicted=(chances > 0.5).astype(int),
            probabilities=np.column_stack([1 - chances, chances]),
            labels=(0, 1),
            positive=1,
        )
    )
    found = estimated(said(later), tested)
    real = true_metrics(said(later), truth.iloc[later].to_numpy())
    if found.problem:  # that is an answer, too: it says why it has no number
        assert tested is not None
        assert tested.error > 0.05 or tested.p_value < 0.01
    for one in found.estimated:
        assert abs(one.value - real[one.metric]) < 0.06, one.metric


@pytest.mark.parametrize(
    ("tested", "told"),
    [
        (None, "does not say"),
        (Calibration(rows=60, error=0.0, p_value=1.0), "tested on 60 rows, 100 are needed"),
        (Calibration(rows=500, error=0.12, p_value=0.3), "off by about 0.120"),
        (Calibration(rows=500, error=0.01, p_value=1e-5), "p 1e-05"),
    ],
)
def test_probabilities_not_known_to_be_right_give_a_reason_and_no_number(tested: Calibration | None, told: str) -> None:
    found = estimated(np.full(300, 0.7), tested)
    assert found.estimated == ()
    assert told in found.problem


def test_few_answers_give_a_reason_and_no_number() -> None:
    found = estimated(np.full(99, 0.7))
    assert (found.estimated, found.problem) == ((), "There are 99 answers, 100 are needed.")


def test_answers_without_probabilities_give_a_reason(numbers: Shipped) -> None:
    drawn = Sample("tried", "3")
    drawn.add(replace(journaled(numbers, trained(numbers)), probabilities=None))
    found = estimate_metrics(drawn, replace(reference(numbers), calibration=FINE), metrics=NAMES, min_rows=100)
    assert found is not None
    assert "no probabilities" in found.problem


def test_numbers_and_nothing_at_all_have_no_estimate() -> None:
    drawn = Sample("tried", "3")
    assert estimate_metrics(drawn, known(), metrics=NAMES, min_rows=1) is None
    drawn.add(rows(np.full(300, 0.7)))
    plain = Schema(task="regression", target="y", fields=())
    assert estimate_metrics(drawn, replace(known(), schema=plain), metrics=NAMES, min_rows=1) is None


def test_several_labels_are_estimated_too(words: Shipped) -> None:
    drawn = Sample("tried", "3")
    drawn.add(journaled(words, words.frame))
    found = estimate_metrics(drawn, replace(reference(words), calibration=FINE), metrics=NAMES, min_rows=100)
    assert found is not None
    assert [one.metric for one in found.estimated] == list(NAMES[:-1]), "those of classification, in their order"


def test_estimate_is_marked_as_one_in_json_and_on_the_page(numbers: Shipped) -> None:
    made = report(numbers, journaled(numbers, trained(numbers)))
    found = estimated(np.random.default_rng(3).beta(0.3, 0.3, 500))
    performance = Performance(since=made.since, until=made.until, estimate=found)
    assert Performance.from_json(performance.to_json()) == performance
    page = render(made, performance)
    assert "Estimate, not measured" in page
    assert f"≈ {found.estimated[0].value:.3f}" in page
    assert "No true labels have come" in page
    assert not performance.dropped(made.model, made.version)


def test_what_was_measured_by_an_older_trilho_has_no_estimate(tmp_path: Path) -> None:
    assert Performance.from_json('{"format": 1, "since": 0.0, "until": 1.0}').estimate is None


def test_sample_is_drawn_from_all_rows_alike() -> None:
    drawn = Sample("tried", "3", most=500)
    for start in range(0, 10_000, 1000):
        drawn.add(rows(np.arange(start, start + 1000) / 10_000))
        drawn.add(rows(np.ones(50), version="4"))
    kept = np.concatenate([part.probabilities[:, 1] for part in drawn.parts() if part.probabilities is not None])
    assert (drawn.seen, len(kept)) == (10_000, 500)
    assert len(set(kept.tolist())) == 500
    assert abs(kept.mean() - 0.5) < 0.06
    assert min(np.histogram(kept, 10, (0, 1))[0]) > 20
