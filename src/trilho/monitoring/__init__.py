"""Watching: what the journal says, compared with what the bundles say.

watching    a window of the journal → a Report on each version
counting    its rows, counted as the drift profile counts
judging     counts → checks on each column        drift/       the methods, one a file
report      what was found, as frozen values      histogram    few bins to look at
keeping     reports in the journal's folder
performance labels joined → how right the answers were, with intervals; measured: as frozen values
html/       the report for people                  logged        figures over time, in MLflow
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilho.monitoring.keeping import keep, keep_for_people, kept, latest
    from trilho.monitoring.logged import Scores, log_window, point
    from trilho.monitoring.measured import Measured, Measurement, Performance
    from trilho.monitoring.performance import measure
    from trilho.monitoring.report import Check, ColumnReport, Effect, Histogram, OtherVersion, Report
    from trilho.monitoring.watching import Reference, Window, watch

_HOME_OF = {
    "Check": "report",
    "ColumnReport": "report",
    "Effect": "report",
    "Histogram": "report",
    "Measured": "measured",
    "Measurement": "measured",
    "OtherVersion": "report",
    "Performance": "measured",
    "Reference": "watching",
    "Report": "report",
    "Scores": "logged",
    "Window": "watching",
    "keep": "keeping",
    "keep_for_people": "keeping",
    "kept": "keeping",
    "latest": "keeping",
    "log_window": "logged",
    "measure": "performance",
    "point": "logged",
    "watch": "watching",
}

__all__ = [
    "Check",
    "ColumnReport",
    "Effect",
    "Histogram",
    "Measured",
    "Measurement",
    "OtherVersion",
    "Performance",
    "Reference",
    "Report",
    "Scores",
    "Window",
    "keep",
    "keep_for_people",
    "kept",
    "latest",
    "log_window",
    "measure",
    "point",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"trilho.monitoring.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
