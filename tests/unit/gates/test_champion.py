from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trilho.errors import BadData
from trilho.gates import Paired, Verdict
from trilho.gates.champion import judge_champion
from trilho.metrics import Outcome
from unit.gates.cases import RULE, evidence, labelled, pair, rule


def verdict(paired: Paired | None, **changes: object) -> Verdict:
    (found,) = judge_champion(evidence(paired), rule(**changes))
    return found


def test_first_version_needs_no_champion() -> None:
    (found,) = judge_champion(evidence(None, champion=None), rule(policy="if_better"))
    assert found.passed
    assert found.measured is None


def test_better_version_passes_both_policies() -> None:
    for policy in ("if_better", "if_not_worse"):
        assert verdict(pair(500, wins=40, losses=5), policy=policy).passed


def test_worse_version_is_refused_by_both_policies() -> None:
    for policy in ("if_better", "if_not_worse"):
        found = verdict(pair(500, wins=5, losses=40), policy=policy)
        assert found.outcome == "fail"
        assert "Train a better model" in found.remedy


def test_identical_predictions_pass_only_if_not_worse() -> None:
    paired = pair(200, both_wrong=20)
    same = verdict(paired)
    assert same.passed
    assert same.interval == (0, 0)
    assert "the same predictions as v11" in same.reason
    assert verdict(paired, margin=0.0).passed
    assert not verdict(paired, policy="if_better").passed


def test_what_identical_predictions_leave_open_is_said() -> None:
    """The rule of three: after 300 rows without a difference up to 3 in 300 may hold one (exactly 0.993 %)."""
    assert "up to 0.99 % of others" in verdict(pair(300)).reason


def test_metric_that_sees_no_difference_says_so() -> None:
    both = pair(200)
    negative = both.champion.truth == 0
    worse_elsewhere = replace(both.challenger, predicted=np.where(negative, 1, both.challenger.predicted))
    found = verdict(replace(both, challenger=worse_elsewhere), metric="recall")
    assert found.passed
    assert "none of the rows on which they differ counts in it" in found.reason


def test_measured_gain_that_may_be_chance_is_refused_when_a_gain_is_required() -> None:
    found = verdict(pair(500, wins=12, losses=10), policy="if_better")
    assert found.measured == pytest.approx(0.004)
    assert found.outcome == "fail"
    assert found.interval is not None
    assert found.interval[0] < 0 < found.measured


def test_gain_must_exceed_min_improvement_with_confidence() -> None:
    paired = pair(1000, wins=60, losses=10)
    lower = verdict(paired, policy="if_better").interval
    assert lower is not None
    assert verdict(paired, policy="if_better", min_improvement=lower[0] - 1e-6).passed
    assert not verdict(paired, policy="if_better", min_improvement=lower[0]).passed
    assert not verdict(paired, policy="if_better", min_improvement=0.05).passed


def test_verdict_says_measured_and_required() -> None:
    found = verdict(pair(1000, wins=20, losses=25, both_wrong=40))
    assert found.measured == pytest.approx(-0.005)
    assert found.required == -0.01
    assert found.interval is not None
    assert found.interval[0] < -0.01
    assert found.detectable is not None
    for part in (
        "accuracy 0.935 against 0.94 of v11",
        "1,000 rows",
        "45 of them predicted differently",
        "worse by 0.005",
        "95 %",
        "0.01 worse is allowed",
    ):
        assert part in found.reason


def test_standard_error_is_that_of_paired_proportions() -> None:
    """McNemar's setting has it in closed form: sqrt((wins + losses) / n² - gain² / n)."""
    found = verdict(pair(1000, wins=30, losses=20))
    expected = np.sqrt(50 / 1000**2 - 0.01**2 / 1000)
    assert found.interval is not None
    assert (found.interval[1] - found.interval[0]) / 2 / 1.646 == pytest.approx(expected, rel=0.06)


def test_refusal_for_want_of_rows_says_how_many_would_do() -> None:
    found = verdict(pair(400, wins=10, losses=10))
    assert found.outcome == "fail"
    assert found.measured == 0
    assert "such rows" in found.remedy
    rows = int(found.remedy.split("about ")[1].split(" ")[0].replace(",", ""))
    # Equal models that differ on 5 % of rows: variance 0.05 / n, and 1.645 + 0.842 standard errors must fit into 0.01.
    assert rows == pytest.approx(0.05 * (2.487 / 0.01) ** 2, rel=0.2)
    assert "evaluate.champion.margin" in found.remedy
    assert "trilho promote --force --reason" in found.remedy


def test_refusal_on_rows_that_suffice_asks_for_no_more_of_them() -> None:
    both = pair(2000, wins=10, losses=24)
    found = verdict(both)
    assert found.outcome == "fail"
    assert found.detectable is not None
    assert found.detectable < RULE.margin
    assert "such rows" not in found.remedy
    assert "train a better one" in found.remedy
    margin = float(found.remedy.split("evaluate.champion.margin ")[1].split(" ")[0].rstrip("."))
    assert verdict(both, margin=margin).passed, "the margin it names lets this version through"
    assert not verdict(both, margin=margin - 0.0002).passed


def test_refusal_by_labels_points_to_what_probabilities_could_tell() -> None:
    both = pair(400, wins=10, losses=10)
    assert "evaluate.champion.metric brier" in verdict(both).remedy
    silent = replace(both.champion, probabilities=None)
    assert "brier" not in verdict(replace(both, champion=silent)).remedy
    assert "brier" not in verdict(both, metric="brier", margin=0.0).remedy


@pytest.mark.parametrize("policy", ["if_better", "if_not_worse"])
def test_too_few_rows_say_so_instead_of_guessing(policy: str) -> None:
    found = verdict(pair(49, wins=30), policy=policy)
    assert found.outcome == "not comparable"
    assert "only 49 rows" in found.reason
    assert "asks for 50" in found.reason
    assert found.setting == "evaluate.champion.min_rows"
    assert 'trilho promote --force --reason "…"' in found.remedy
    assert verdict(pair(50, wins=30), policy=policy).passed


def test_no_rows_at_all_are_not_comparable() -> None:
    empty = np.array([], dtype=int)
    nothing = labelled(empty, empty.astype(bool))
    assert verdict(Paired(challenger=nothing, champion=nothing), min_rows=0).outcome == "not comparable"


def test_champion_that_cannot_score_the_rows_is_named_with_its_problem() -> None:
    (found,) = judge_champion(evidence(None, champion_problem="It misses the column age."), rule())
    assert found.outcome == "not comparable"
    assert (
        "Not comparable with v11: the two cannot be measured on the same rows: It misses the column age."
        in found.reason
    )
    assert "--force" in found.remedy


def test_champion_without_probabilities_is_not_comparable_by_them() -> None:
    both = pair(100, wins=5)
    paired = replace(both, champion=replace(both.champion, probabilities=None))
    found = verdict(paired, metric="roc_auc")
    assert found.outcome == "not comparable"
    assert "roc_auc needs probabilities" in found.reason


def test_champion_of_another_positive_class_is_not_comparable() -> None:
    both = pair(100, wins=5)
    found = verdict(replace(both, champion=replace(both.champion, positive=0)), metric="f1")
    assert "another positive class" in found.reason


def test_metric_of_the_users_own_is_not_comparable_and_the_known_ones_are_named() -> None:
    found = verdict(pair(100, wins=5), metric="profit")
    assert found.outcome == "not comparable"
    assert "accuracy" in found.remedy


def test_nan_score_is_refused() -> None:
    both = pair(100)
    silent = replace(both.champion, predicted=np.zeros(100, dtype=int))
    found = verdict(replace(both, champion=silent), metric="precision")
    assert found.outcome == "not comparable"
    assert "precision of v11 is undefined" in found.reason


def test_few_undefined_resamples_are_counted_and_shown() -> None:
    """Four rows predicted positive: a resample holds none of them once in e⁴ = 55 times."""
    truth = np.arange(400) % 2
    new, old = np.zeros(400, dtype=int), np.zeros(400, dtype=int)
    new[[1, 3, 5, 7]] = 1
    old[[11, 13, 15, 17, 18, 20, 22, 24]] = 1
    paired = Paired(
        challenger=Outcome(truth=truth, predicted=new, labels=(0, 1), positive=1),
        champion=Outcome(truth=truth, predicted=old, labels=(0, 1), positive=1),
    )
    found = verdict(paired, metric="precision")
    assert "of 1,000 resamples" in found.reason
    counted = int(found.reason.split("undefined in ")[1].split(" of")[0])
    assert counted == pytest.approx(1000 * np.exp(-4), rel=0.6)


def test_many_undefined_resamples_are_not_comparable() -> None:
    both = pair(100)
    rare = np.zeros(100, dtype=int)
    rare[1] = 1
    found = verdict(replace(both, champion=replace(both.champion, predicted=rare)), metric="precision")
    assert found.outcome == "not comparable"
    assert "of 1,000 resamples" in found.reason


def test_lower_error_is_better() -> None:
    rng = np.random.default_rng(0)
    truth = rng.normal(size=300)
    near = Outcome(truth=truth, predicted=truth + rng.normal(0, 0.5, 300))
    far = Outcome(truth=truth, predicted=truth + rng.normal(0, 1.0, 300))
    better = verdict(Paired(challenger=near, champion=far), metric="rmse", policy="if_better")
    worse = verdict(Paired(challenger=far, champion=near), metric="rmse")
    assert better.passed
    assert better.measured is not None
    assert better.measured > 0.3
    assert "better by" in better.reason
    assert worse.outcome == "fail"
    assert worse.measured == pytest.approx(-better.measured)


def test_few_groups_are_not_comparable_however_many_rows() -> None:
    paired = pair(900, wins=60, groups=np.arange(900) % 9)
    found = verdict(paired)
    assert found.outcome == "not comparable"
    assert "from 9 groups" in found.reason
    assert verdict(replace(paired, groups=np.arange(900) % 30)).passed


def test_rows_that_come_in_groups_show_less() -> None:
    truth = np.arange(600) % 2
    groups = np.arange(600) // 30
    wins = groups % 4 == 0
    paired = Paired(challenger=labelled(truth, truth >= 0), champion=labelled(truth, ~wins))
    alone, grouped = verdict(paired), verdict(replace(paired, groups=groups))
    assert alone.detectable is not None
    assert grouped.detectable is not None
    assert grouped.detectable > 3 * alone.detectable


def test_sample_weights_weigh_the_comparison() -> None:
    paired = pair(200, wins=10, losses=10)
    weights = np.where(paired.challenger.predicted == paired.challenger.truth, 1.0, 0.01)
    assert verdict(paired).measured == 0
    weighted = verdict(replace(paired, weights=weights)).measured
    assert weighted is not None
    assert weighted > 0.04


def test_always_shows_the_comparison_and_lets_it_decide_nothing() -> None:
    found = verdict(pair(500, losses=100), policy="always")
    assert found.passed
    assert found.measured == pytest.approx(-0.2)
    (unknown,) = judge_champion(evidence(None, champion_problem="gone"), rule(policy="always"))
    assert unknown.passed
    assert "gone" in unknown.reason


def test_never_promotes_nothing_by_itself() -> None:
    found = verdict(pair(500, wins=100), policy="never")
    assert found.outcome == "fail"
    assert "--force" in found.remedy
    (first,) = judge_champion(evidence(None, champion=None), rule(policy="never"))
    assert first.outcome == "fail"


def test_models_scored_on_different_rows_are_refused() -> None:
    both = pair(60)
    with pytest.raises(BadData, match="different rows"):
        Paired(challenger=both.challenger, champion=labelled(np.zeros(60, dtype=int), np.ones(60, dtype=bool)))


counts = st.integers(0, 25)


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(60, 300), wins=counts, losses=counts)
def test_swapping_the_two_mirrors_the_verdict(rows: int, wins: int, losses: int) -> None:
    both = pair(rows, wins=wins, losses=losses)
    ahead = verdict(both)
    behind = verdict(replace(both, challenger=both.champion, champion=both.challenger))
    assert ahead.interval is not None
    assert behind.interval is not None
    assert behind.measured == pytest.approx(-(ahead.measured or 0.0))
    assert behind.interval == pytest.approx((-ahead.interval[1], -ahead.interval[0]))
    assert not (
        verdict(both, policy="if_better").passed
        and verdict(replace(both, challenger=both.champion, champion=both.challenger), policy="if_better").passed
    )


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(60, 300), wins=counts, losses=counts, low=st.floats(0, 0.2), high=st.floats(0, 0.2))
def test_wider_margin_never_refuses_what_a_narrower_one_passes(
    rows: int, wins: int, losses: int, low: float, high: float
) -> None:
    both = pair(rows, wins=wins, losses=losses)
    low, high = min(low, high), max(low, high)
    assert verdict(both, margin=low).passed <= verdict(both, margin=high).passed
    better = {"policy": "if_better"}
    assert verdict(both, **better, min_improvement=high).passed <= verdict(both, **better, min_improvement=low).passed
    assert verdict(both, confidence=0.99).passed <= verdict(both, confidence=0.9).passed


@settings(max_examples=25, deadline=None)
@given(
    rows=st.integers(60, 200),
    wrong=st.integers(0, 30),
    metric=st.sampled_from(["accuracy", "f1", "roc_auc", "log_loss"]),
)
def test_identical_predictions_never_count_as_better(rows: int, wrong: int, metric: str) -> None:
    both = pair(rows, both_wrong=wrong)
    assert verdict(both, metric=metric).passed
    assert verdict(both, metric=metric, policy="if_better").outcome == "fail"
