"""How much better a challenger is than the champion, on rows that neither was trained on, or why nobody can say."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from trilho.errors import CannotPredict
from trilho.gates.bootstrap import Estimate, estimate
from trilho.gates.evidence import Evidence, Paired, Rule
from trilho.metrics.catalogue import METRICS
from trilho.metrics.metric import Needs
from trilho.metrics.outcome import Outcome

# Below ten groups their own spread cannot be told: see benchmarks/gate_intervals.py, and Cameron, Gelbach & Miller
# (2008), Rev. Econ. Stat. 90(3), 414-427, on inference with few clusters.
MIN_GROUPS = 10
MAX_UNDEFINED = 0.05  # share of resamples without a value above which the rest no longer speaks for all


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Both on the same rows.

    Args:
        gain: By how much the challenger is better, whichever way the metric points, in the metric's unit.
        challenger, champion: The metric's values.
        differing: On how many rows the two predict differently, in what the metric reads.
        coarse: The metric reads labels only, while both models give probabilities, which tell more from the same rows.
    """

    rows: int
    challenger: float
    champion: float
    gain: Estimate
    differing: int
    coarse: bool


@dataclass(frozen=True, kw_only=True)
class Incomparable:
    """Why nobody can say, and what would change that."""

    why: str
    remedy: str
    setting: str = ""


def compare(evidence: Evidence, rule: Rule) -> Comparison | Incomparable:
    """Measure the gain by `rule.metric`; evidence.champion must not be None."""
    champion, paired = f"v{evidence.champion}", evidence.paired
    if rule.metric not in METRICS:
        return Incomparable(
            why=f"{rule.metric} is not a metric that can be resampled",
            remedy=f"Choose evaluate.champion.metric among {', '.join(METRICS)}.",
            setting="evaluate.champion.metric",
        )
    if paired is None or evidence.champion_problem:
        problem = evidence.champion_problem or "no reason was given"
        return Incomparable(
            why=f"the two cannot be measured on the same rows: {problem}".rstrip("."),
            remedy="Bring the data back to what it can score.",
        )
    few = _too_few(paired, rule)
    if few:
        return few
    return _compare(paired, rule, champion)


def _too_few(paired: Paired, rule: Rule) -> Incomparable | None:
    rows, setting = paired.challenger.rows, "evaluate.champion.min_rows"
    if rows < max(rule.min_rows, 2):
        return Incomparable(
            why=f"only {rows:,} rows were trained on by neither, {setting} asks for {rule.min_rows:,}",
            remedy="Bring more data: with split.method hash part of every new row goes to the test set.",
            setting=setting,
        )
    groups = rows if paired.groups is None else len(np.unique(paired.groups))
    if groups < min(MIN_GROUPS, rows):
        return Incomparable(
            why=f"the {rows:,} rows that neither was trained on come from {groups} groups, {MIN_GROUPS} are needed",
            remedy="Bring data of more groups.",
            setting="split.group_by",
        )
    return None


def _compare(paired: Paired, rule: Rule, champion: str) -> Comparison | Incomparable:
    new, old = paired.challenger, paired.champion
    metric = METRICS[rule.metric]
    if new.positive != old.positive or bool(new.labels) != bool(old.labels):
        return Incomparable(
            why=f"{champion} was made for another positive class or another task",
            remedy="Start a new registered model (register.name) for a new question.",
        )
    try:
        score_new, score_old = metric.scorer(new), metric.scorer(old)
    except CannotPredict as error:
        return Incomparable(why=error.what.rstrip("."), remedy=error.remedy, setting="evaluate.champion.metric")
    weight = np.ones(new.rows) if paired.weights is None else np.asarray(paired.weights, dtype=float)
    sign = 1 if metric.greater_is_better else -1
    as_they_are = weight[np.newaxis, :]
    both = float(score_new(as_they_are)[0]), float(score_old(as_they_are)[0])
    for value, who in zip(both, ("the new version", champion), strict=True):
        if math.isnan(value):
            return Incomparable(
                why=f"{rule.metric} of {who} is undefined on these {new.rows:,} rows",
                remedy="Bring rows of every class, or choose another evaluate.champion.metric.",
                setting="evaluate.champion.metric",
            )
    gain = estimate(
        lambda weights: sign * (score_new(weights * weight) - score_old(weights * weight)),
        rows=new.rows,
        strata=new.truth_codes if new.labels else None,
        groups=paired.groups,
        confidence=rule.confidence,
        random_state=rule.random_state,
    )
    if gain.undefined > MAX_UNDEFINED * gain.resamples or not math.isfinite(gain.lower):
        share = f"{gain.undefined:,} of {gain.resamples:,} resamples"
        return Incomparable(
            why=f"{rule.metric} is undefined in {share} of these {new.rows:,} rows",
            remedy="Bring more rows of the rare class, or choose another evaluate.champion.metric.",
            setting="evaluate.champion.metric",
        )
    return Comparison(
        rows=new.rows,
        challenger=both[0],
        champion=both[1],
        gain=gain,
        differing=_differing(new, old, metric.needs),
        coarse=metric.needs == "labels" and new.probabilities is not None and old.probabilities is not None,
    )


def _differing(new: Outcome, old: Outcome, needs: Needs) -> int:
    if needs == "probabilities" and new.scores.shape == old.scores.shape:
        return int((new.scores != old.scores).any(axis=1).sum())
    return int((new.predicted != old.predicted).sum())
