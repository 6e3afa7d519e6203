"""What to say of a column: how much it moved, since when, and what the rows look like now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trilho.monitoring.html.drawing import Bar, Picture, bars, medians, picture
from trilho.monitoring.html.figures import cut, moment, number, share
from trilho.monitoring.report import Check, ColumnReport, Effect, Report


@dataclass(frozen=True, kw_only=True)
class Line:
    """One thing that was measured, for the table that is opened by who wants to know."""

    what: str
    value: str
    interval: str
    allowed: str
    over: bool
    chance: str


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A column as the page shows it.

    Args:
        sentences: What moved, most important first; of one that did not move, how near it came.
        since: "since 12:00", or "".
        bars: Of categories; then the picture is small and for lists alone.
    """

    name: str
    moved: bool
    sentences: tuple[str, ...]
    since: str
    near: float
    missing: str
    picture: Picture | None
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]


def shown(column: ColumnReport, report: Report) -> Shown:
    """The column as the page shows it."""
    return Shown(
        name=cut(column.name),
        moved=column.moved,
        sentences=tuple(_sentences(column)),
        since=since(column.since, report),
        near=column.effect,
        missing=share(column.missing),
        picture=picture(column.histogram),
        bars=bars(column.histogram) if column.moved else (),
        lines=tuple(_lines(column)) if column.moved else (),
    )


def since(began: float | None, report: Report) -> str:
    """When a move began, in words."""
    if began is None:
        return ""
    if began <= report.since:
        return "in the whole window"
    return f"since {moment(began, beside=report.until)}"


# ----------------------------------------------------------------------------------------------------------------------

_WHAT = {
    "wasserstein": "Distance moved",
    "population_stability": "Population stability index",
    "jensen_shannon": "Jensen-Shannon distance",
    "missing_share": "Missing values, change",
    "out_of_range": "Outside the training range, change",
    "new_categories": "In new categories, change",
}
_SHARES = ("missing_share", "out_of_range", "new_categories")


def _sentences(column: ColumnReport) -> Iterator[str]:
    moved = [check for check in column.checks if check.moved]
    for check in moved:
        effect = max(check.effects, key=lambda one: abs(one.value) / (one.threshold or 1e-9))
        yield _sentence(effect, column)
        if check.question == "values":
            yield from _compared(column)
    if not moved and not column.checks:
        yield "Not in the journal, or in too few of its rows, to say anything."


def _sentence(effect: Effect, column: ColumnReport) -> str:
    change = f"{share(abs(effect.value))} of the rows {'more' if effect.value > 0 else 'fewer'} than in training"
    allowed = share(effect.threshold)
    return {
        "wasserstein": f"Values moved by {effect.value:.2f} standard deviations; up to {effect.threshold:g} is usual.",
        "population_stability": f"Values are spread otherwise: stability index {effect.value:.2f}, "
        f"up to {effect.threshold:g} is usual.",
        "jensen_shannon": f"Shares are others: they differ by {effect.value:.2f} on a scale from 0 to 1; "
        f"up to {effect.threshold:g} is usual.",
        "missing_share": f"Missing in {share(column.missing)} of the rows: {change}; up to {allowed} is usual.",
        "out_of_range": f"Outside the range of training: {change}; up to {allowed} is usual.",
        "new_categories": f"In categories that training never saw: {change}; up to {allowed} is usual.",
    }.get(effect.method, f"{effect.method} {number(effect.value)}; up to {number(effect.threshold)} is usual.")


def _compared(column: ColumnReport) -> Iterator[str]:
    """What the values were and are, in the column's own words."""
    half = medians(column.histogram)
    if half is not None and number(half[0]) != number(half[1]):
        yield f"Half of the rows are below {number(half[1])}; in training {number(half[0])}."
    change = max(bars(column.histogram), key=lambda bar: abs(bar.new - bar.old), default=None)
    if change is not None:
        yield f"Most changed: “{change.label}” is {share(change.new)} of the rows, was {share(change.old)}."


def _lines(column: ColumnReport) -> Iterator[Line]:
    for check in column.checks:
        for effect in check.effects:
            yield _line(check, effect)


def _line(check: Check, effect: Effect) -> Line:
    def words(value: float) -> str:
        return f"{100 * value:+.1f} points" if effect.method in _SHARES else number(round(value, 4))

    unit = " standard deviations" if effect.method == "wasserstein" else ""
    interval = f"{words(effect.interval[0])} to {words(effect.interval[1])}" if effect.interval else ""
    if effect.error:
        interval = f"± {number(round(effect.error, 4))}"
    p_value = check.adjusted
    return Line(
        what=_WHAT.get(effect.method, effect.method),
        value=words(effect.value) + unit,
        interval=interval,
        allowed=words(effect.threshold).lstrip("+"),
        over=effect.over,
        chance="< 0.0001" if p_value < 1e-4 else f"{p_value:.4f}",
    )
