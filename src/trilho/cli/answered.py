"""What labels say of the answers, on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trilho.cli import output

if TYPE_CHECKING:
    from trilho.monitoring import Estimate, Measured, Performance, Report


def show(performance: Performance, report: Report) -> None:
    """A line for each metric of the version in charge, or one that says how many labels there are; none without any.

    Where labels say nothing of the newest window yet, an estimate follows, marked as one.
    """
    if performance.labels:
        _measured(performance, report)
    windows = performance.of(report.model, report.version)
    if performance.estimate is not None and not any(one.enough and one.until >= report.until for one in windows):
        _estimated(performance.estimate)


# ----------------------------------------------------------------------------------------------------------------------


def _measured(performance: Performance, report: Report) -> None:
    newest = performance.newest(report.model, report.version)
    if newest is None:
        total = performance.total(report.model, report.version)
        have = f"{total.labelled} of {total.min_labels}" if total else "none"
        output.line("answers", "unknown", f"labels of this version: {have} that are needed")
        return
    for place, one in enumerate(newest.measured):
        output.line("" if place else "answers", one.metric, _worded(one))
    output.line("", "", f"from {newest.labelled} labels")


def _estimated(found: Estimate) -> None:
    if found.problem:
        output.line("estimate", "none", found.problem)
        return
    for place, one in enumerate(found.estimated):
        low, high = one.interval
        output.line("" if place else "estimate", one.metric, f"about {one.value:.3f} ({low:.3f} to {high:.3f})")
    output.line("", "", "estimated from the model's own probabilities, not measured; only labels can tell")


def _worded(one: Measured) -> str:
    if one.value is None:
        return "undefined on these rows"
    sure = f" (with 95 % confidence {one.interval[0]:.3f} to {one.interval[1]:.3f})" if one.interval else ""
    if one.floor is None:
        return f"{one.value:.3f}{sure}"
    asked = f"at {'least' if one.greater_is_better else 'most'} {one.floor:g} is asked"
    word = "; not reached" if one.below else "; not reached, chance could do that" if one.under else ""
    return f"{one.value:.3f}{sure}, {asked}{word}"
