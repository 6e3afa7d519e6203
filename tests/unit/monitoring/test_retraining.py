"""The decision to train again: what starts it, what holds it back, and that every reason is told."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho.monitoring import Decision, Evidence, Measured, Measurement, Performance, Report, decide, outrun
from trilho.monitoring.report import Check, ColumnReport, Effect, Histogram
from trilho.project.file import RetrainSection
from trilho.registry import Claim

NOW = 10_000_000.0
HOUR, DAY = 3600.0, 86_400.0


def report(*, moved: int = 2, columns: int = 4, rows: int = 1000, version: str = "3") -> Report:
    def column(place: int) -> ColumnReport:
        effect = Effect(method="wasserstein", value=1.0 if place < moved else 0.0, threshold=0.1)
        check = Check(
            question="values", test="ks", p_value=0.0, adjusted=0.0, significant=place < moved, effects=(effect,)
        )
        drawn = Histogram(reference=(1,), current=(1,))
        return ColumnReport(
            name=f"c{place}",
            kind="number",
            rows=rows,
            reference_rows=500,
            missing=0.0,
            checks=(check,),
            histogram=drawn,
        )

    return Report(
        model="churn",
        version=version,
        since=NOW - DAY,
        until=NOW,
        rows=rows,
        columns=tuple(column(place) for place in range(columns)),
        predicted=(),
        share=0.3,
        min_rows=200,
        alpha=0.01,
    )


def measured(value: float, interval: tuple[float, float], *, version: str = "3") -> Performance:
    one = Measured(metric="f1", value=value, interval=interval, floor=0.8)
    window = Measurement(
        model="churn",
        version=version,
        since=NOW - DAY,
        until=NOW,
        labelled=400,
        min_labels=50,
        measured=(one,),
    )
    return Performance(since=NOW - DAY, until=NOW, windows=(window,))


def claim(**facts: Any) -> Claim:
    usual = {"number": 5, "first": 5, "who": "ana@here", "why": "drift", "began": NOW - 2 * DAY, "alive": NOW - 2 * DAY}
    return Claim(**{**usual, **facts})


def decided(rule: dict[str, Any], **known: Any) -> Decision:
    evidence = Evidence(**{"now": NOW, "model": "churn", "version": "3", "trained": NOW - 30 * DAY, **known})
    return decide(evidence, RetrainSection(**rule))


DRIFT = {"on": ("drift",)}


def test_drift_with_new_labels_retrains_and_says_why() -> None:
    found = decided(DRIFT, report=report(), new_labels=200)
    assert (found.action, found.why) == ("retrain", "drift: 2 of 4 columns moved; 200 new labels, 200 are needed")


def test_drift_without_new_labels_does_not() -> None:
    found = decided(DRIFT, report=report(), new_labels=199)
    assert (found.action, found.why) == ("none", "199 new labels, 200 are needed")


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({}, "no report on v3 yet"),
        ({"report": report(version="2")}, "no report on v3 yet"),
        ({"report": report(rows=199)}, "199 predictions in the window, 200 are needed"),
        ({"report": report(columns=0)}, "drift: no column can be compared"),
        ({"report": report(moved=1)}, "1 of 4 columns moved, 30% are drift"),
    ],
)
def test_no_drift_on_the_champion_does_not_retrain(known: dict[str, Any], says: str) -> None:
    found = decided(DRIFT, new_labels=5000, **known)
    assert found.action == "none"
    assert says in found.why


@pytest.mark.parametrize(("columns", "answer"), [(0, "unknown"), (1, "no")])
def test_drift_that_nobody_looked_for_is_unknown_and_not_denied(columns: int, answer: str) -> None:
    [drift, *_] = decided(DRIFT, report=report(moved=0, columns=columns), new_labels=200).reasons
    assert (drift.question, drift.answer) == ("drift", answer)


def test_old_report_says_how_old_it_is() -> None:
    assert "by 3h ago" in decided(DRIFT, now=NOW + 3 * HOUR, report=report(), new_labels=200).why


def test_metric_below_its_floor_retrains_only_if_chance_cannot_have_done_it() -> None:
    rule = {"on": ("performance",)}
    surely = decided(rule, performance=measured(0.70, (0.66, 0.74)), new_labels=400)
    assert (surely.action, surely.reasons[0].text) == ("retrain", "f1 0.700, at least 0.8 is asked")
    perhaps = decided(rule, performance=measured(0.78, (0.74, 0.82)), new_labels=400)
    assert (perhaps.action, perhaps.reasons[0].answer) == ("none", "no")
    other = decided(rule, performance=measured(0.1, (0.0, 0.2), version="2"), new_labels=400)
    assert (other.action, other.reasons[0].answer) == ("none", "unknown")


def test_performance_needs_new_labels_too() -> None:
    found = decided({"on": ("performance",)}, performance=measured(0.7, (0.6, 0.75)), new_labels=0)
    assert found.action == "none", "what it would learn from, it was trained on already"


@pytest.mark.parametrize(("ago", "action"), [(7 * DAY - 1, "none"), (7 * DAY, "retrain")])
def test_schedule_counts_from_the_last_training_and_needs_no_labels(ago: float, action: str) -> None:
    rule = {"on": ("schedule",), "every": 7 * DAY}
    assert decided(rule, trained=NOW - ago).action == action
    ended = claim(began=NOW - ago, alive=NOW - ago, outcome="refused: v4")
    assert decided(rule, claim=ended).action == action


@pytest.mark.parametrize(("ago", "action"), [(DAY - 1, "none"), (DAY, "retrain")])
@pytest.mark.parametrize("outcome", ["promoted: v3", "refused: v4", "failed: no memory"])
def test_cooldown_holds_after_every_retraining(ago: float, action: str, outcome: str) -> None:
    last = claim(began=NOW - ago, alive=NOW - ago, outcome=outcome)
    assert decided(DRIFT, report=report(), new_labels=900, claim=last).action == action


def test_nothing_starts_while_somebody_is_at_it_not_even_by_hand() -> None:
    busy = claim(alive=NOW - 899)
    for asked in ("", "trilho retrain"):
        found = decided({**DRIFT, "takeover": 900.0}, report=report(), new_labels=900, claim=busy, asked=asked)
        assert (found.action, found.why) == ("none", "ana@here began 2d ago and was heard of 14m 59s ago")


def test_silent_holder_is_gone_on_with_whatever_the_causes_say() -> None:
    found = decided({"on": (), "takeover": 900.0}, claim=claim(alive=NOW - 900))
    assert (found.action, found.resumes) == ("resume", True)
    assert found.why == "ana@here began 2d ago and fell silent 15m ago (15m are waited for): drift"


def test_asking_by_hand_needs_no_cause_and_no_cooldown() -> None:
    found = decided({"on": ()}, claim=claim(began=NOW - 1, alive=NOW, outcome="promoted: v3"), asked="trilho retrain")
    assert (found.action, found.why) == ("retrain", "asked for: trilho retrain")


def test_without_a_champion_there_is_nothing_to_retrain() -> None:
    found = decided(DRIFT, version="", asked="trilho retrain")
    assert (found.action, "trilho run makes the first" in found.why) == ("none", True)


def test_nothing_in_retrain_on_starts_nothing() -> None:
    assert "names nothing that starts one" in decided({}, report=report(), new_labels=9999).why


def test_who_was_too_slow_says_so() -> None:
    lost = outrun(decided(DRIFT, report=report(), new_labels=200))
    assert (lost.action, lost.why) == ("none", "somebody else began at the same moment")


@given(
    st.lists(st.sampled_from(["drift", "performance", "schedule"]), unique=True),
    st.integers(0, 400),
    st.floats(0, 60 * DAY),
    st.sampled_from([None, report(), report(moved=0)]),
    st.sampled_from([None, measured(0.7, (0.6, 0.75)), measured(0.9, (0.8, 0.95))]),
)
def test_a_reason_is_given_for_every_cause_and_each_decision(
    causes: list[str], labels: int, ago: float, seen: Report | None, known: Performance | None
) -> None:
    last = claim(began=NOW - ago, alive=NOW - ago, outcome="promoted: v3")
    found = decided({"on": tuple(causes)}, report=seen, performance=known, new_labels=labels, claim=last)
    assert found.why
    assert set(causes) <= {reason.question for reason in found.reasons}
    if found.action == "retrain":
        assert ago >= DAY
        assert any(reason.answer == "yes" and reason.question in causes for reason in found.reasons)
