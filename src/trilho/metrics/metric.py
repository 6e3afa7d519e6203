"""What a metric is: a name with its meaning, and a function that reads an outcome once and then weighs its rows.

The second half is what makes resampling cheap: sorting and counting that do not depend on the weights happen once, and
a thousand resamples are a thousand rows of a weight matrix.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from trilho.errors import BadData, CannotPredict
from trilho.metrics.outcome import Outcome

Needs = Literal["labels", "probabilities", "values"]
Scorer = Callable[[np.ndarray], np.ndarray]  # weights (B, n) → values (B,)

# Weights worked on at once: 2 MB of doubles stay in a core's own cache, and bound what temporaries cost.
CELLS = 1 << 18


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A number that says how well predictions fit the truth.

    Args:
        tasks: The tasks of trilho.yaml that it measures.
        needs: What an outcome must hold: labels, probabilities, or values (numbers).
        range: The least and the greatest possible value.
        unit: In words; "" where it has none (a share).
        help: One sentence for people.
        function: Outcome → scorer.
    """

    name: str
    tasks: tuple[str, ...]
    needs: Needs
    greater_is_better: bool
    range: tuple[float, float]
    unit: str = ""
    help: str
    function: Callable[[Outcome], Scorer]

    def score(self, outcome: Outcome, weights: np.ndarray | None = None) -> np.ndarray:
        """The metric's value, under each given weighting of the rows.

        Args:
            weights: Not negative; a weight of 2 is a row that is there twice, of 0 one that is not there. Shape (n,),
                (B, n), or None for one each.

        Returns:
            Shape () or (B,). NaN where the metric is undefined: one class only for roc_auc, no positive prediction for
            precision, a constant truth for r2, all weights 0, or a prediction that is not finite.

        Raises:
            BadData: the weights do not fit the rows, or are negative or not finite.
            CannotPredict: the outcome holds no probabilities and the metric needs them.
        """
        weights = np.ones(outcome.rows) if weights is None else np.asarray(weights, dtype=float)
        if weights.ndim not in (1, 2) or weights.shape[-1] != outcome.rows:
            raise BadData(
                f"Weights of shape {weights.shape} do not fit {outcome.rows:,} rows.",
                remedy="Give one weight for each row.",
            )
        if weights.size and not (weights.min() >= 0 and np.isfinite(weights).all()):
            raise BadData(
                "A weight is negative, missing or infinite.",
                remedy="Weights are finite numbers from 0 up; drop or fill the rows where they are not.",
            )
        return self.scorer(outcome)(np.atleast_2d(weights)).reshape(weights.shape[:-1])

    def scorer(self, outcome: Outcome) -> Scorer:
        """Reads `outcome` once; the function it gives back takes weights (B, n), unchecked, to values (B,)."""
        if self.needs == "probabilities" and outcome.probabilities is None:
            raise CannotPredict(
                f"{self.name} needs probabilities, and this model gives only labels.",
                remedy=f"Take {self.name} out of evaluate in trilho.yaml, or choose an estimator with predict_proba.",
            )
        if outcome.rows == 0 or not _is_finite(outcome, self.needs):
            return lambda weights: np.full(len(weights), np.nan)
        score = self.function(outcome)
        step = max(1, CELLS // outcome.rows)

        def in_steps(weights: np.ndarray) -> np.ndarray:
            if len(weights) <= step:
                return score(weights)
            parts = [score(weights[start : start + step]) for start in range(0, len(weights), step)]
            return np.concatenate(parts)

        return in_steps


def weighted_mean(values: np.ndarray) -> Scorer:
    """The scorer that averages one number per row."""
    return lambda weights: ratio(weights @ values, weights.sum(axis=1))


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, NaN where whole is 0."""
    undefined = np.full(np.shape(part), np.nan)
    quotient: np.ndarray = np.divide(part, whole, out=undefined, where=whole > 0)
    return quotient


def _is_finite(outcome: Outcome, needs: Needs) -> bool:
    read: tuple[np.ndarray, ...] = ()
    if needs == "probabilities":
        read = (outcome.scores,)
    elif needs == "values":
        read = (outcome.truth, outcome.predicted)
    return all(np.isfinite(np.asarray(values, dtype=float)).all() for values in read)
