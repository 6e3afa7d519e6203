"""Watching: what the journal says, compared with what the bundles say.

watching    a window of the journal → a Report on each version
counting    its rows, counted as the drift profile counts
judging     counts → checks on each column        drift/       the methods, one a file
report      what was found, as frozen values      histogram    few bins to look at
keeping     reports in the journal's folder
performance labels joined → how right the answers were, with intervals; measured: as frozen values
estimate    how right they probably are, from probabilities alone
alarming    what of it calls for somebody          wording     what was found, in words
sampling    a few whole rows of a window           earlier_rows  beside the first ones of the version
shadow      what the challenger answers to them      agreement     as frozen values
html/       the report for people                  logged        figures over time, in MLflow
retraining  train again? decided, with reasons     evidence      what that is decided from
decisions   those to do nothing, kept
guarding    go back from the version promoted last?  server_counts  what the model server counted of it
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilho.monitoring.agreement import Change, Shadow
    from trilho.monitoring.alarming import Alarm, alarms
    from trilho.monitoring.decisions import decided, keep_decision
    from trilho.monitoring.earlier_rows import compare_with_earlier
    from trilho.monitoring.estimate import estimate_metrics
    from trilho.monitoring.evidence import gather, new_labels
    from trilho.monitoring.guarding import Finding, Guarded, look_after
    from trilho.monitoring.keeping import keep, keep_for_people, kept, latest
    from trilho.monitoring.logged import Scores, log_window, point
    from trilho.monitoring.measured import Estimate, Estimated, Measured, Measurement, Performance
    from trilho.monitoring.performance import measure
    from trilho.monitoring.report import Check, ColumnReport, Effect, Histogram, OtherVersion, Report, WholeRows
    from trilho.monitoring.retraining import Decision, Evidence, Reason, decide, outrun
    from trilho.monitoring.sampling import Sample
    from trilho.monitoring.server_counts import Counted, Reading, read_counts
    from trilho.monitoring.shadow import ask_challenger
    from trilho.monitoring.watching import Reference, Window, evidence_of, watch

_HOME_OF = {
    "Alarm": "alarming",
    "Change": "agreement",
    "Check": "report",
    "ColumnReport": "report",
    "Counted": "server_counts",
    "Decision": "retraining",
    "Effect": "report",
    "Estimate": "measured",
    "Estimated": "measured",
    "Evidence": "retraining",
    "Finding": "guarding",
    "Guarded": "guarding",
    "Histogram": "report",
    "Measured": "measured",
    "Measurement": "measured",
    "OtherVersion": "report",
    "Performance": "measured",
    "Reading": "server_counts",
    "Reason": "retraining",
    "Reference": "watching",
    "Report": "report",
    "Sample": "sampling",
    "Scores": "logged",
    "Shadow": "agreement",
    "WholeRows": "report",
    "Window": "watching",
    "alarms": "alarming",
    "ask_challenger": "shadow",
    "compare_with_earlier": "earlier_rows",
    "decide": "retraining",
    "decided": "decisions",
    "estimate_metrics": "estimate",
    "evidence_of": "watching",
    "gather": "evidence",
    "keep": "keeping",
    "keep_decision": "decisions",
    "keep_for_people": "keeping",
    "kept": "keeping",
    "latest": "keeping",
    "log_window": "logged",
    "look_after": "guarding",
    "measure": "performance",
    "new_labels": "evidence",
    "outrun": "retraining",
    "point": "logged",
    "read_counts": "server_counts",
    "watch": "watching",
}

__all__ = [
    "Alarm",
    "Change",
    "Check",
    "ColumnReport",
    "Counted",
    "Decision",
    "Effect",
    "Estimate",
    "Estimated",
    "Evidence",
    "Finding",
    "Guarded",
    "Histogram",
    "Measured",
    "Measurement",
    "OtherVersion",
    "Performance",
    "Reading",
    "Reason",
    "Reference",
    "Report",
    "Sample",
    "Scores",
    "Shadow",
    "WholeRows",
    "Window",
    "alarms",
    "ask_challenger",
    "compare_with_earlier",
    "decide",
    "decided",
    "estimate_metrics",
    "evidence_of",
    "gather",
    "keep",
    "keep_decision",
    "keep_for_people",
    "kept",
    "latest",
    "log_window",
    "look_after",
    "measure",
    "new_labels",
    "outrun",
    "point",
    "read_counts",
    "watch",
]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"trilho.monitoring.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
