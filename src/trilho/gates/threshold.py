"""The gate "threshold": each metric of evaluate.thresholds reaches its limit on the version's own test rows.

What counts is the measured number. The interval beside it says how far it may be from the truth.
"""

from __future__ import annotations

import math

from trilho.errors import CannotPredict
from trilho.gates.bootstrap import Estimate, estimate
from trilho.gates.evidence import Evidence, Rule
from trilho.gates.verdict import Verdict, number
from trilho.metrics.catalogue import METRICS


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
    spread = _spread(name, evidence, rule)
    return Verdict(
        gate="threshold",
        outcome="pass" if passed else "fail",
        reason=f"{name} {number(value)}, {asked}.",
        measured=value,
        required=limit,
        interval=(spread.lower, spread.upper) if spread else None,
        detectable=spread.detectable if spread else None,
        remedy="" if passed else f"Train a better model, or change {setting} in trilho.yaml.",
        setting=setting,
    )


def _spread(name: str, evidence: Evidence, rule: Rule) -> Estimate | None:
    outcome = evidence.outcome
    if outcome is None or name not in METRICS or outcome.rows < 2:
        return None
    try:
        scorer = METRICS[name].scorer(outcome)
    except CannotPredict:  # the number then comes from the user's own step
        return None
    found = estimate(
        scorer,
        rows=outcome.rows,
        strata=outcome.truth_codes if outcome.labels else None,
        confidence=rule.confidence,
        random_state=rule.random_state,
    )
    return found if math.isfinite(found.lower) else None
