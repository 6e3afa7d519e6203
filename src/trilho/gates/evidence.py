"""What gates judge. Collected by others; gates fetch nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trilho.errors import BadData
from trilho.metrics.outcome import Outcome


@dataclass(frozen=True, kw_only=True, eq=False)
class Paired:
    """Challenger and champion on the same rows, which neither was trained on.

    Args:
        groups: The group of each row where rows come in groups (split.group_by), as numbers; else None. Shape (n,).
        weights: Sample weight of each row, not negative; None for one each. Shape (n,).

    Raises:
        BadData: the two were not scored on the same rows.
    """

    challenger: Outcome
    champion: Outcome
    groups: np.ndarray | None = None
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not np.array_equal(self.challenger.truth, self.champion.truth):
            raise BadData(
                "Challenger and champion were scored on different rows.",
                why="Their true values differ.",
                remedy="Give both the same rows, in the same order.",
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Evidence:
    """Everything a gate may look at.

    Args:
        metrics: The challenger's metrics on its own test rows.
        outcome: Its predictions on them, for an interval beside each threshold; None where not kept.
        champion: Number of the champion to beat; None when there is none.
        paired: Both on common unseen rows; None where there is no champion or it could not score them.
        champion_problem: Why the champion could not score the rows ("" where it could).
        schema: The challenger's feature columns: name → kind.
        optional: Those of them that may be missing or null.
        champion_schema: The champion's feature columns; None where unknown.
        champion_optional: Those of them that may be missing or null.
        latency: 99th percentile of one prediction, in seconds; None where not measured.
    """

    metrics: Mapping[str, float]
    schema: Mapping[str, str]
    outcome: Outcome | None = None
    optional: frozenset[str] = frozenset()
    champion: int | None = None
    paired: Paired | None = None
    champion_problem: str = ""
    champion_schema: Mapping[str, str] | None = None
    champion_optional: frozenset[str] = frozenset()
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
