"""What a gate says: a value. JSON, exit codes and the layout on a terminal are other files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Answer = Literal["pass", "fail", "not comparable"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One gate's answer to: may this version go live?

    Args:
        gate: The gate's name: threshold, champion, signature, latency.
        outcome: pass, fail, or "not comparable" where the evidence does not suffice; only pass lets a version through.
        reason: One sentence with measured against required.
        measured: What was measured, in the unit of the metric; None where nothing could be. For the gate champion how
            much better the version is than the champion, negative where it is worse, whichever way the metric points.
        required: What was asked for, same unit.
        interval: The one-sided lower and the one-sided upper bound of `measured`, each at the rule's confidence, where
            they were computed.
        detectable: The smallest true difference that this test set would show in 80 of 100 samples, same unit.
        remedy: What to do about it ("" for a pass).
        setting: The setting that decided ("evaluate.thresholds.f1"), so that its origin can be shown.
    """

    gate: str
    outcome: Answer
    reason: str
    measured: float | None = None
    required: float | None = None
    interval: tuple[float, float] | None = None
    detectable: float | None = None
    remedy: str = ""
    setting: str = ""

    @property
    def passed(self) -> bool:
        return self.outcome == "pass"


def number(value: float) -> str:
    """A measured number as sentences show it: four digits after the point, fewer where they are zeros."""
    return f"{value:.4f}".rstrip("0").rstrip(".") if 1e-3 <= abs(value) < 1e5 or value == 0 else f"{value:.3g}"
