"""Watching: what the journal says, compared with what the bundles say.

watching    a window of the journal → a Report on each version
counting    its rows, counted as the drift profile counts
judging     counts → checks on each column        drift/       the methods, one a file
report      what was found, as frozen values      histogram    few bins to look at
keeping     reports in the journal's folder
performance labels joined → how right the answers were, with intervals; measured: as frozen values
html/       the report for people                  logged        figures over time, in MLflow
retraining  train again? decided, with reasons     evidence      what that is decided from
decisions   those to do nothing, kept
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilho.monitoring.decisions import decided, keep_decision
    from trilho.monitoring.evidence import gather, new_labels
    from trilho.monitoring.keeping import keep, keep_for_people, kept, latest
    from trilho.monitoring.logged import Scores, log_window, point
    from trilho.monitoring.measured import Measured, Measurement, Performance
    from trilho.monitoring.performance import measure
    from trilho.monitoring.report import Check, ColumnReport, Effect, Histogram, OtherVersion, Report
    from trilho.monitoring.retraining import Decision, Evidence, Reason, decide, outrun
    from trilho.monitoring.watching import Reference, Window, watch

_HOME_OF = {
    "Check": "report",
    "ColumnReport": "report",
    "Decision": "retraining",
    "Effect": "report",
    "Evidence": "retraining",
    "Histogram": "report",
    "Measured": "measured",
    "Measurement": "measured",
    "OtherVersion": "report",
    "Performance": "measured",
    "Reason": "retraining",
    "Reference": "watching",
    "Report": "report",
    "Scores": "logged",
    "Window": "watching",
    "decide": "retraining",
    "decided": "decisions",
    "gather": "evidence",
    "keep": "keeping",
    "keep_decision": "decisions",
    "keep_for_people": "keeping",
    "kept": "keeping",
    "latest": "keeping",
    "log_window": "logged",
    "measure": "performance",
    "new_labels": "evidence",
    "outrun": "retraining",
    "point": "logged",
    "watch": "watching",
}

__all__ = [
    "Check",
    "ColumnReport",
    "Decision",
    "Effect",
    "Evidence",
    "Histogram",
    "Measured",
    "Measurement",
    "OtherVersion",
    "Performance",
    "Reason",
    "Reference",
    "Report",
    "Scores",
    "Window",
    "decide",
    "decided",
    "gather",
    "keep",
    "keep_decision",
    "keep_for_people",
    "kept",
    "latest",
    "log_window",
    "measure",
    "new_labels",
    "outrun",
    "point",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"trilho.monitoring.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
