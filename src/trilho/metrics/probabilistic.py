"""Metrics of the probabilities themselves: log loss and the Brier score, both proper scoring rules.

Source:
    Gneiting & Raftery (2007), J. Am. Stat. Assoc. 102(477), 359-378.
"""

from __future__ import annotations

import numpy as np

from trilho.metrics.metric import Scorer, weighted_mean
from trilho.metrics.outcome import Outcome


def log_loss(outcome: Outcome) -> Scorer:
    """The mean of -ln(probability of the true label), clipped to the float's own precision as scikit-learn does."""
    scores = outcome.scores
    given = scores[np.arange(outcome.rows), outcome.truth_codes]
    tiny = np.finfo(scores.dtype if scores.dtype.kind == "f" else float).eps
    return weighted_mean(-np.log(np.clip(given, tiny, 1 - tiny)).astype(float))


def brier(outcome: Outcome) -> Scorer:
    """The mean squared distance of the probabilities from what came true.

    For two labels that of the positive one, in [0, 1]; for more the sum over all labels, in [0, 2].

    Source:
        Brier (1950), Mon. Weather Rev. 78(1), 1-3.
    """
    scores = outcome.scores.astype(float)
    happened = np.zeros_like(scores)
    happened[np.arange(outcome.rows), outcome.truth_codes] = 1
    distance = ((scores - happened) ** 2).sum(axis=1)
    return weighted_mean(distance / 2 if scores.shape[1] < 3 else distance)
