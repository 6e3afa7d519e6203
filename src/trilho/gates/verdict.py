"""What a gate says: a value. Wording, JSON and exit codes are other files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Outcome = Literal["pass", "fail", "not comparable"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """One gate's answer to: may this version go live?

    Args:
        gate: The gate's name: threshold, champion, signature, latency.
        outcome: pass, fail, or "not comparable" where the evidence does not suffice; only pass lets a version through.
        reason: One sentence with measured against required.
        measured: What was measured, in the unit of the metric; None where nothing could be.
        required: What was asked for, same unit.
        interval: Confidence interval of `measured` (lower, upper), where one was computed.
        detectable: The smallest difference that this test set could have shown, same unit.
        remedy: What to do about it ("" for a pass).
        setting: The setting that decided ("evaluate.thresholds.f1"), so that its origin can be shown.
    """

    gate: str
    outcome: Outcome
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
