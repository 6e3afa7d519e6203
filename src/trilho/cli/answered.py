"""What labels say of the answers, on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trilho.cli import output

if TYPE_CHECKING:
    from trilho.monitoring import Measured, Performance, Report


def show(performance: Performance, report: Report) -> None:
    """A line for each metric of the version in charge, or one that says how many labels there are; none without any."""
    if not performance.labels:
        return
    newest = performance.newest(report.model, report.version)
    if newest is None:
        total = performance.total(report.model, report.version)
        have = f"{total.labelled} of {total.min_labels}" if total else "none"
        output.line("answers", "unknown", f"labels of this version: {have} that are needed")
        return
    for place, one in enumerate(newest.measured):
        output.line("" if place else "answers", one.metric, _worded(one))
    output.line("", "", f"from {newest.labelled} labels")


# ----------------------------------------------------------------------------------------------------------------------


def _worded(one: Measured) -> str:
    if one.value is None:
        return "undefined on these rows"
    sure = f" (with 95 % confidence {one.interval[0]:.3f} to {one.interval[1]:.3f})" if one.interval else ""
    if one.floor is None:
        return f"{one.value:.3f}{sure}"
    asked = f"at {'least' if one.greater_is_better else 'most'} {one.floor:g} is asked"
    word = "; not reached" if one.below else "; not reached, chance could do that" if one.under else ""
    return f"{one.value:.3f}{sure}, {asked}{word}"
