"""What gates judge. Collected by `delivery`; gates fetch nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trilho.metrics.outcome import Outcome


@dataclass(frozen=True, kw_only=True)
class Paired:
    """Challenger and champion on the same rows, which neither was trained on.

    `groups` (n,) numbers the group of each row where rows come in groups (split.group_by); else None.
    """

    challenger: Outcome
    champion: Outcome
    groups: np.ndarray | None = None


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """Everything a gate may look at.

    Args:
        metrics: The challenger's metrics on its own test rows.
        champion: Number of the champion to beat; None when there is none.
        paired: Both on common unseen rows; None where there is no champion or it could not score them.
        champion_problem: Why the champion could not score the rows ("" where it could).
        schema: The challenger's feature columns: name → kind.
        champion_schema: The champion's; None where unknown.
        latency: 99th percentile of one prediction, in seconds; None where not measured.
    """

    metrics: Mapping[str, float]
    schema: Mapping[str, str]
    champion: int | None = None
    paired: Paired | None = None
    champion_problem: str = ""
    champion_schema: Mapping[str, str] | None = None
    latency: float | None = None


Policy = Literal["if_better", "if_not_worse", "always", "never"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the project asks of a version (from `evaluate:` and `register.promote`)."""

    policy: Policy
    metric: str
    thresholds: Mapping[str, float]
    margin: float = 0.01
    min_improvement: float = 0.0
    confidence: float = 0.95
    min_rows: int = 50
    max_latency: float | None = None
    random_state: int = 42
