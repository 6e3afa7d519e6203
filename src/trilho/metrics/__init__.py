"""What is measured on predictions: one definition of each metric for the steps, the gates and monitoring.

Loaded on first use: naming this package loads no numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilho.metrics.catalogue import METRICS, compute, find_metric
    from trilho.metrics.metric import Metric
    from trilho.metrics.outcome import Outcome

__all__ = ["METRICS", "Metric", "Outcome", "compute", "find_metric"]

_HOMES = {"METRICS": "catalogue", "compute": "catalogue", "find_metric": "catalogue", "Metric": "metric"}
_HOMES["Outcome"] = "outcome"


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'trilho.metrics' has no attribute '{name}'")
    return getattr(import_module(f"trilho.metrics.{_HOMES[name]}"), name)
