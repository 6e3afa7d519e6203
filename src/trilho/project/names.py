"""The names that trilho.yaml may use, as values. A test compares them with what exists in the other rooms."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from trilho.settings import BY_NAME

_CLASSES = ("classification", "image-classification")
_NUMBERS = ("regression",)


@dataclass(frozen=True)
class Metric:
    """A measure of predictions.

    `greater_is_better` decides whether a threshold is a lower or an upper limit; `range` holds the values it can take.
    """

    name: str
    tasks: tuple[str, ...]
    greater_is_better: bool
    range: tuple[float, float]


METRICS: Mapping[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("accuracy", _CLASSES, True, (0, 1)),
        Metric("balanced_accuracy", _CLASSES, True, (0, 1)),
        Metric("precision", _CLASSES, True, (0, 1)),
        Metric("recall", _CLASSES, True, (0, 1)),
        Metric("f1", _CLASSES, True, (0, 1)),
        Metric("roc_auc", _CLASSES, True, (0, 1)),
        Metric("average_precision", _CLASSES, True, (0, 1)),
        Metric("log_loss", _CLASSES, False, (0, math.inf)),
        Metric("brier", _CLASSES, False, (0, 2)),
        Metric("rmse", _NUMBERS, False, (0, math.inf)),
        Metric("mse", _NUMBERS, False, (0, math.inf)),
        Metric("mae", _NUMBERS, False, (0, math.inf)),
        Metric("r2", _NUMBERS, True, (-math.inf, 1)),
        Metric("mape", _NUMBERS, False, (0, math.inf)),
    )
}
DEFAULT_METRICS: Mapping[str, tuple[str, ...]] = {
    "classification": ("accuracy", "precision", "recall", "f1", "roc_auc"),
    "image-classification": ("accuracy", "precision", "recall", "f1", "roc_auc"),
    "regression": ("rmse", "mae", "r2"),
}
PRIMARY_METRIC: Mapping[str, str] = {"classification": "f1", "image-classification": "f1", "regression": "rmse"}

TASKS = BY_NAME["task"].choices
STEPS = BY_NAME["steps"].choices
SPLIT_METHODS = BY_NAME["split.method"].choices
BUILT_IN_TRANSFORMS = BY_NAME["transform.using"].choices
COLUMN_KINDS = BY_NAME["data.kinds"].choices
PROMOTE = BY_NAME["register.promote"].choices
GATES = ("threshold", "champion", "signature", "latency")


def metrics_for(task: str) -> tuple[str, ...]:
    """The names of the metrics that a task can be measured by."""
    return tuple(name for name, metric in METRICS.items() if task in metric.tasks)


def did_you_mean(name: str, allowed: Iterable[str]) -> str:
    """ " Did you mean x?" with a leading blank, or nothing where no allowed name is near."""
    by_lower = {known.lower(): known for known in allowed}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return f" Did you mean {by_lower[near[0]]}?" if near else ""
