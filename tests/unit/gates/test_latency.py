from __future__ import annotations

from trilho.gates import Verdict
from trilho.gates.latency import judge_latency
from unit.gates.cases import evidence, rule


def verdict(latency: float | None, limit: float = 0.01) -> Verdict:
    (found,) = judge_latency(evidence(latency=latency), rule(max_latency=limit))
    return found


def test_without_a_limit_nothing_is_asked() -> None:
    assert judge_latency(evidence(latency=9.0), rule()) == ()


def test_fast_enough_passes_and_too_slow_is_refused() -> None:
    assert verdict(0.01).passed
    found = verdict(0.0123)
    assert found.outcome == "fail"
    assert found.reason == "99 of 100 predictions take at most 12.3 ms; 10 ms is allowed."
    assert found.setting == "evaluate.max_latency"


def test_time_that_was_not_measured_does_not_pass() -> None:
    assert verdict(None).outcome == "not comparable"
    assert verdict(float("nan")).outcome == "not comparable"
