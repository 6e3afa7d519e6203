"""The gate "latency": one prediction, alone, is fast enough. Asked only where evaluate.max_latency is set."""

from __future__ import annotations

import math

from trilho.gates.evidence import Evidence, Rule
from trilho.gates.verdict import Verdict

_SETTING = "evaluate.max_latency"


def judge_latency(evidence: Evidence, rule: Rule) -> tuple[Verdict, ...]:
    """The 99th percentile of one prediction's seconds against the limit; not measured is not passed."""
    limit, measured = rule.max_latency, evidence.latency
    if limit is None:
        return ()
    if measured is None or math.isnan(measured):
        return (
            Verdict(
                gate="latency",
                outcome="not comparable",
                reason=f"The time of a prediction was not measured; at most {_shown(limit)} is allowed.",
                required=limit,
                remedy=f"Run evaluate again (trilho run --force), or take {_SETTING} out of trilho.yaml.",
                setting=_SETTING,
            ),
        )
    passed = measured <= limit
    return (
        Verdict(
            gate="latency",
            outcome="pass" if passed else "fail",
            reason=f"99 of 100 predictions take at most {_shown(measured)}; {_shown(limit)} is allowed.",
            measured=measured,
            required=limit,
            remedy="" if passed else f"Train a smaller model, or change {_SETTING} in trilho.yaml.",
            setting=_SETTING,
        ),
    )


def _shown(seconds: float) -> str:
    return f"{seconds:.3g} s" if seconds >= 1 else f"{seconds * 1e3:.3g} ms"
