"""All metrics by name, and the one call that computes several."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np

from trilho.errors import UnknownName
from trilho.metrics import labels, probabilistic, ranking, regression
from trilho.metrics.metric import Metric
from trilho.metrics.outcome import Outcome

_CLASSES = ("classification", "image-classification")
_NUMBERS = ("regression",)
_SHARE = (0.0, 1.0)
_ERROR = (0.0, math.inf)

_ALL = (
    Metric(
        name="accuracy",
        tasks=_CLASSES,
        needs="labels",
        greater_is_better=True,
        range=_SHARE,
        help="Share of rows with the right label.",
        function=labels.accuracy,
    ),
    Metric(
        name="balanced_accuracy",
        tasks=_CLASSES,
        needs="labels",
        greater_is_better=True,
        range=_SHARE,
        help="Mean over the labels of the share of their rows that was recognised.",
        function=labels.balanced_accuracy,
    ),
    Metric(
        name="precision",
        tasks=_CLASSES,
        needs="labels",
        greater_is_better=True,
        range=_SHARE,
        help="Of the rows predicted positive, the share that is; with more than two labels the mean over them.",
        function=labels.precision,
    ),
    Metric(
        name="recall",
        tasks=_CLASSES,
        needs="labels",
        greater_is_better=True,
        range=_SHARE,
        help="Of the rows that are positive, the share predicted so; with more than two labels the mean over them.",
        function=labels.recall,
    ),
    Metric(
        name="f1",
        tasks=_CLASSES,
        needs="labels",
        greater_is_better=True,
        range=_SHARE,
        help="Harmonic mean of precision and recall; with more than two labels the mean over them.",
        function=labels.f1,
    ),
    Metric(
        name="roc_auc",
        tasks=_CLASSES,
        needs="probabilities",
        greater_is_better=True,
        range=_SHARE,
        help="Chance that a positive row gets a higher probability than a negative one; 0.5 is guessing.",
        function=ranking.roc_auc,
    ),
    Metric(
        name="average_precision",
        tasks=_CLASSES,
        needs="probabilities",
        greater_is_better=True,
        range=_SHARE,
        help="Precision averaged over all recalls; guessing gives the share of positives.",
        function=ranking.average_precision,
    ),
    Metric(
        name="log_loss",
        tasks=_CLASSES,
        needs="probabilities",
        greater_is_better=False,
        range=_ERROR,
        unit="nats",
        help="Mean surprise at the true label, -ln of its probability; lower is better.",
        function=probabilistic.log_loss,
    ),
    Metric(
        name="brier",
        tasks=_CLASSES,
        needs="probabilities",
        greater_is_better=False,
        range=(0.0, 2.0),
        help="Mean squared distance of the probabilities from what came true; lower is better.",
        function=probabilistic.brier,
    ),
    Metric(
        name="rmse",
        tasks=_NUMBERS,
        needs="values",
        greater_is_better=False,
        range=_ERROR,
        unit="as the target",
        help="Root of the mean squared error; lower is better.",
        function=regression.rmse,
    ),
    Metric(
        name="mse",
        tasks=_NUMBERS,
        needs="values",
        greater_is_better=False,
        range=_ERROR,
        unit="as the target, squared",
        help="Mean squared error; lower is better.",
        function=regression.mse,
    ),
    Metric(
        name="mae",
        tasks=_NUMBERS,
        needs="values",
        greater_is_better=False,
        range=_ERROR,
        unit="as the target",
        help="Mean absolute error; lower is better.",
        function=regression.mae,
    ),
    Metric(
        name="r2",
        tasks=_NUMBERS,
        needs="values",
        greater_is_better=True,
        range=(-math.inf, 1.0),
        help="Share of the target's variance that is explained; 0 is as good as its mean.",
        function=regression.r2,
    ),
    Metric(
        name="mape",
        tasks=_NUMBERS,
        needs="values",
        greater_is_better=False,
        range=_ERROR,
        help="Mean of the error as a share of the true value, 0.1 is ten percent; lower is better.",
        function=regression.mape,
    ),
)

METRICS: Mapping[str, Metric] = MappingProxyType({metric.name: metric for metric in _ALL})


def find_metric(name: str) -> Metric:
    """The metric called `name`.

    Raises:
        UnknownName: there is none; the message names near ones and all.
    """
    if name in METRICS:
        return METRICS[name]
    near = difflib.get_close_matches(name, METRICS, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise UnknownName(
        f"No metric '{name}'.{hint}",
        why=f"There are: {', '.join(METRICS)}.",
        remedy="Correct the name under evaluate in trilho.yaml.",
    )


def compute(names: Iterable[str], outcome: Outcome, sample_weight: np.ndarray | None = None) -> dict[str, float]:
    """The value of each named metric; NaN where one is undefined on these rows (see `Metric.score`).

    Args:
        sample_weight: One number a row, not negative. Shape (n,); None for one each.

    Raises:
        UnknownName: a name is no metric, or measures another task than the outcome's.
        CannotPredict: a metric needs probabilities and the outcome holds none.
        BadData: the weights do not fit.
    """
    task = "classification" if outcome.labels else "regression"
    values = {}
    for name in names:
        metric = find_metric(name)
        if task not in metric.tasks:
            fitting = ", ".join(other.name for other in _ALL if task in other.tasks)
            raise UnknownName(
                f"{name} does not measure {task}.",
                why=f"These do: {fitting}.",
                remedy="Correct the name under evaluate in trilho.yaml.",
            )
        values[name] = float(metric.score(outcome, sample_weight))
    return values
