from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from trilho.gates import GATES, judge
from unit.gates.cases import evidence, pair, rule


def test_verdicts_come_in_the_order_of_the_gates() -> None:
    found = judge(
        evidence(pair(200, wins=20), metrics={"f1": 0.9, "recall": 0.8}, latency=0.001),
        rule(thresholds={"f1": 0.8, "recall": 0.7}, max_latency=0.01),
    )
    assert [verdict.gate for verdict in found] == ["threshold", "threshold", "champion", "signature", "latency"]
    assert list(GATES) == ["threshold", "champion", "signature", "latency"]
    assert all(verdict.passed for verdict in found)


def test_same_evidence_gives_the_same_verdicts() -> None:
    paired = pair(300, wins=20, losses=15)
    assert judge(evidence(paired), rule()) == judge(evidence(paired), rule())
    assert judge(evidence(paired), rule()) != judge(evidence(paired), rule(random_state=1))


@given(
    rows=st.integers(0, 120),
    wins=st.integers(0, 30),
    metric=st.sampled_from(["accuracy", "precision", "roc_auc", "log_loss"]),
    policy=st.sampled_from(["if_better", "if_not_worse", "always", "never"]),
    value=st.sampled_from([0.5, np.nan]),
)
def test_every_refusal_says_why_and_what_to_do(rows: int, wins: int, metric: str, policy: str, value: float) -> None:
    found = judge(
        evidence(pair(rows, wins=min(wins, rows)), metrics={"f1": value}, schema={"new": "number"}, champion_schema={}),
        rule(policy=policy, metric=metric, thresholds={"f1": 0.6, "recall": 0.1}, max_latency=1.0),
    )
    for verdict in found:
        assert verdict.reason.endswith(".")
        assert verdict.passed == (verdict.remedy == "")
        for number in (verdict.measured, verdict.required, *(verdict.interval or ()), verdict.detectable):
            assert number is None or np.isfinite(number)
