"""How a report of monitoring is worded on a terminal: what moved, how much, since when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trilho.cli import output

if TYPE_CHECKING:
    from trilho.monitoring import Check, ColumnReport, Effect, Report

SHOWN = 5  # moved columns named on a terminal; --json names all
WIDTH = 24  # of a column's name


def show(reports: Sequence[Report], window: float) -> None:
    """The verdict on the version in charge, and a line for each other one."""
    from trilho.settings import format_duration

    report, *others = reports
    output.plain(f"{report.model} v{report.version}, the last {format_duration(window)}: {report.rows} predictions\n")
    _verdict(report)
    unknown = {(other.model, other.version) for other in report.others} - {(one.model, one.version) for one in others}
    for other in others:
        output.line(f"v{other.version}", _word(other), f"{_counted(other)}, of {other.rows} predictions by it")
    left_out = sum(other.rows for other in report.others if (other.model, other.version) in unknown)
    if left_out:
        output.line("others", str(left_out), "answered by other versions, not looked at")


def worded(check: Check, effect: Effect) -> str:
    """Measured against required, in words: "moved by 0.42 standard deviations, allowed are 0.1"."""
    value, allowed = effect.value, effect.threshold
    percent = f"{value:+.1%}, allowed are {allowed:.1%}"
    return {
        "wasserstein": f"moved by {value:.2f} standard deviations, allowed are {allowed:g}",
        "population_stability": f"stability index {value:.2f}, allowed are {allowed:g}",
        "jensen_shannon": f"shares differ by {value:.2f} (Jensen-Shannon), allowed are {allowed:g}",
        "missing_share": f"missing values {percent}",
        "out_of_range": f"outside the training range {percent}",
        "new_categories": f"in new categories {percent}",
    }[effect.method] + ("" if check.significant else "; chance could do that")


# ----------------------------------------------------------------------------------------------------------------------


def _verdict(report: Report) -> None:
    if not report.enough:
        output.line("drift", "unknown", f"{report.min_rows} predictions are needed (monitor.drift.min_rows)")
        return
    output.line("drift", _word(report), f"{_counted(report)}, {report.share:.0%} are drift (monitor.drift.share)")
    for column in report.moved[:SHOWN] or report.judged[:1]:
        _column(column, "moved" if column.moved else "most", report)
    if len(report.moved) > SHOWN:
        output.line("", "", f"… and {len(report.moved) - SHOWN} more: trilho monitor --json")
    silent = [column.name for column in report.columns if not column.checks]
    if silent:
        output.line("", "unknown", f"{', '.join(silent[:SHOWN])}: not in the journal, or in too few of its rows")
    for column in report.predicted:
        if column.checks:
            _column(column, "moved" if column.moved else "steady", report, place=column.name)


def _column(column: ColumnReport, word: str, report: Report, *, place: str = "") -> None:
    if column.worst is None:
        return
    name = "" if place else f"{column.name:<{WIDTH}} "
    output.line(place, word, f"{name}{worded(*column.worst)}{_since(column, report)}")


def _since(column: ColumnReport, report: Report) -> str:
    from trilho.cli.worded import moment

    if column.since is None:
        return ""
    return f"; since {moment(column.since)[:-3]}" if column.since > report.since else "; in the whole window"


def _word(report: Report) -> str:
    return "unknown" if not report.enough else "yes" if report.drift else "no"


def _counted(report: Report) -> str:
    return f"{len(report.moved)} of {len(report.judged)} columns moved"
