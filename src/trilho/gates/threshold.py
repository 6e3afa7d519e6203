"""The gate "threshold": each metric of evaluate.thresholds reaches its limit on the version's own test rows.

What counts is the measured number. The interval beside it says how far it may be from the truth.
"""

from __future__ import annotations

import math

import numpy as np

from trilho.errors import CannotPredict
from trilho.gates.bootstrap import Estimate, estimate
from trilho.gates.evidence import Evidence, Rule
from trilho.gates.verdict import Verdict, number
from trilho.metrics.catalogue import METRICS

_SAME = 1e-4  # a compiled model's probabilities may differ from the model's in the sixth digit


def judge_thresholds(evidence: Evidence, rule: Rule) -> tuple[Verdict, ...]:
    """One verdict for each threshold; a limit that is just reached passes."""
    return tuple(_judge(name, limit, evidence, rule) for name, limit in rule.thresholds.items())


def _judge(name: str, limit: float, evidence: Evidence, rule: Rule) -> Verdict:
    setting = f"evaluate.thresholds.{name}"
    # A metric of the user's own evaluate step is not in METRICS; there, more is better.
    upwards = name not in METRICS or METRICS[name].greater_is_better
    asked = f"at {'least' if upwards else 'most'} {number(limit)} is required"
    value = evidence.metrics.get(name)
    if value is None or math.isnan(value):
        missing = value is None
        return Verdict(
            gate="threshold",
            outcome="fail",
            reason=f"{name} {'was not measured' if missing else 'is undefined on the test rows'}; {asked}.",
            required=limit,
            remedy=f"Add {name} to evaluate.metrics in trilho.yaml."
            if missing
            else "A test set with rows of every class, and a model that predicts each, defines it.",
            setting=setting,
        )
    passed = value >= limit if upwards else value <= limit
    spread = _spread(name, value, evidence, rule)
    interval = _within_range(name, spread) if spread else None
    sure = ""
    if interval:
        both = 100 * (2 * rule.confidence - 1)  # each of the two bounds has the asked confidence
        sure = f" (with {both:.4g} % confidence {number(interval[0])} to {number(interval[1])})"
    return Verdict(
        gate="threshold",
        outcome="pass" if passed else "fail",
        reason=f"{name} {number(value)}{sure}, {asked}.",
        measured=value,
        required=limit,
        interval=interval,
        detectable=spread.detectable if spread else None,
        remedy="" if passed else f"Train a better model, or change {setting} in trilho.yaml.",
        setting=setting,
    )


def _within_range(name: str, spread: Estimate) -> tuple[float, float]:
    """The bounds, which know nothing of the metric, within what it can be."""
    least, most = METRICS[name].range
    return max(spread.lower, least), min(spread.upper, most)


def _spread(name: str, value: float, evidence: Evidence, rule: Rule) -> Estimate | None:
    outcome = evidence.outcome
    if outcome is None or name not in METRICS or outcome.rows < 2:
        return None
    try:
        scorer = METRICS[name].scorer(outcome)
    except CannotPredict:  # the number then comes from the user's own step
        return None
    if not math.isclose(scorer(np.ones((1, outcome.rows)))[0], value, rel_tol=_SAME, abs_tol=_SAME):
        return None  # a function of the user's own measured it another way
    found = estimate(
        scorer,
        rows=outcome.rows,
        strata=outcome.truth_codes if outcome.labels else None,
        confidence=rule.confidence,
        random_state=rule.random_state,
    )
    # Nothing moved: all right, or one answer for all. That makes the number look sure, which it is not.
    moved = found.standard_error > 1e-9 * max(1.0, abs(value))
    return found if moved and math.isfinite(found.lower) else None
