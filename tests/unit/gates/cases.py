"""Evidence made for tests: two models of known answers on the same rows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from trilho.gates import Evidence, Paired, Rule
from trilho.metrics import Outcome

RULE = Rule(policy="if_not_worse", metric="accuracy", thresholds={})


def rule(**changes: Any) -> Rule:
    return replace(RULE, **changes)


def labelled(truth: np.ndarray, right: np.ndarray) -> Outcome:
    """Labels 0 and 1; the model is right where `right`, sure of itself everywhere."""
    predicted = np.where(right, truth, 1 - truth)
    chance = np.where(predicted == 1, 0.8, 0.2)
    return Outcome(
        truth=truth,
        predicted=predicted,
        probabilities=np.column_stack([1 - chance, chance]),
        labels=(0, 1),
        positive=1,
    )


def pair(rows: int, *, wins: int = 0, losses: int = 0, both_wrong: int = 0, **more: Any) -> Paired:
    """`wins` rows that only the challenger has right, `losses` that only the champion has right."""
    truth = np.arange(rows) % 2
    place = np.random.default_rng(rows).permutation(rows)
    new = ~((place >= wins) & (place < wins + losses + both_wrong))
    old = ~((place < wins) | ((place >= wins + losses) & (place < wins + losses + both_wrong)))
    return Paired(challenger=labelled(truth, new), champion=labelled(truth, old), **more)


def evidence(paired: Paired | None = None, **more: Any) -> Evidence:
    """A challenger of champion v11 with one number column."""
    return Evidence(**{"metrics": {}, "schema": {"x": "number"}, "champion": 11, "paired": paired} | more)
