"""How a report of monitoring is worded on a terminal: what moved, how much, since when."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from trilho.cli import output

if TYPE_CHECKING:
    from trilho.monitoring import ColumnReport, Report

SHOWN = 5  # moved columns named on a terminal; --json names all
WIDTH = 24  # of a column's name


def show(reports: Sequence[Report], window: float) -> None:
    """The verdict on the version in charge, and a line for each other one."""
    from trilho.monitoring.wording import shadow_words, unknown_words, whole_rows_words
    from trilho.settings import format_duration

    report, *others = reports
    output.plain(f"{report.model} v{report.version}, the last {format_duration(window)}: {report.rows} predictions\n")
    _verdict(report)
    if report.whole_rows is not None:
        whole = report.whole_rows
        word = "unknown" if whole.problem else "moved" if whole.moved else "steady"
        output.line("whole rows", word, whole_rows_words(whole))
    if report.shadow is not None:
        output.line("shadow", f"v{report.shadow.version}", shadow_words(report.shadow, report.label_names))
    unknown = {(other.model, other.version) for other in report.others} - {(one.model, one.version) for one in others}
    for other in others:
        told = f"{_counted(other)}, of" if other.drift_known else f"{unknown_words(other)};"
        output.line(f"v{other.version}", _word(other), f"{told} {other.rows} predictions by it")
    left_out = sum(other.rows for other in report.others if (other.model, other.version) in unknown)
    if left_out:
        output.line("others", str(left_out), "answered by other versions, not looked at")


def worded(column: ColumnReport, report: Report) -> str:
    """What to tell of a column: "values moved by 0.42 standard deviations; 0.1 is allowed; since 2026-01-01 14:00"."""
    from trilho.monitoring.wording import effect_words, importance_words

    if column.worst is None:
        return ""
    check, effect = column.worst
    chance = "" if check.significant else "chance could do that"
    importance = importance_words(report.importance, column.name) if column.moved else ""
    parts = (effect_words(effect, column), chance, _since(column, report), importance)
    return "; ".join(part for part in parts if part)


# ----------------------------------------------------------------------------------------------------------------------


def _verdict(report: Report) -> None:
    from trilho.monitoring.wording import unknown_words

    known = f"{_counted(report)}, {report.share:.0%} are drift (monitor.drift.share)"
    output.line("drift", _word(report), known if report.drift_known else unknown_words(report))
    if not report.enough:
        return
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
    if column.worst is not None:
        name = "" if place else f"{column.name:<{WIDTH}} "
        output.line(place, word, f"{name}{worded(column, report)}")


def _since(column: ColumnReport, report: Report) -> str:
    from trilho.cli.worded import moment

    if column.since is None:
        return ""
    return f"since {moment(column.since)[:-3]}" if column.since > report.since else "in the whole window"


def _word(report: Report) -> str:
    return "unknown" if not report.drift_known else "yes" if report.drift else "no"


def _counted(report: Report) -> str:
    return f"{len(report.moved)} of {len(report.judged)} columns moved"
