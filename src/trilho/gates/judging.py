"""All gates, in the order in which their verdicts are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from trilho.gates.champion import judge_champion
from trilho.gates.evidence import Evidence, Rule
from trilho.gates.latency import judge_latency
from trilho.gates.signature import judge_signature
from trilho.gates.threshold import judge_thresholds
from trilho.gates.verdict import Verdict

Gate = Callable[[Evidence, Rule], tuple[Verdict, ...]]

GATES: Mapping[str, Gate] = MappingProxyType(
    {
        "threshold": judge_thresholds,
        "champion": judge_champion,
        "signature": judge_signature,
        "latency": judge_latency,
    }
)


def judge(evidence: Evidence, rule: Rule) -> tuple[Verdict, ...]:
    """What every gate says. The version may go live if all verdicts pass.

    Pure: the same evidence and rule give the same verdicts, and nothing but these is looked at.
    """
    return tuple(verdict for gate in GATES.values() for verdict in gate(evidence, rule))
