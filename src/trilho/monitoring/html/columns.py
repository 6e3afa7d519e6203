"""What to say of a column: how much it moved, since when, and what the rows look like now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from trilho.monitoring.figures import cut, moment, number, share
from trilho.monitoring.html.drawing import Bar, Picture, bars, medians, picture
from trilho.monitoring.report import Check, ColumnReport, Effect, Report
from trilho.monitoring.wording import effect_words, importance_words, sentence


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
        sentences: What moved, most important first; () of one that did not.
        importance: How much the model leans on it; "" where nobody measured it.
        since: "since 12:00", or "".
        near: How near it came to what is allowed, or how far beyond.
        bars: Of categories; then the picture is for lists alone.
    """

    name: str
    moved: bool
    sentences: tuple[str, ...]
    importance: str
    since: str
    near: str
    picture: Picture | None
    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]


def shown(column: ColumnReport, report: Report, *, listed: bool = False) -> Shown:
    """The column as the page shows it; `listed`: in few words, among many."""
    return Shown(
        name=cut(column.name),
        moved=column.moved,
        sentences=tuple(_sentences(column)),
        importance=sentence(importance_words(report.importance, column.name)),
        since=since(column.since, report),
        near=_near(column),
        picture=picture(column.histogram),
        bars=() if listed else bars(column.histogram),
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


def _near(column: ColumnReport) -> str:
    if not column.checks:
        return "too few rows in the journal to judge"
    if column.moved:
        return f"moved, {column.effect:.1f} times what is allowed"
    return f"at {100 * column.effect:.0f}% of what is allowed" if column.effect <= 1 else "chance could do that"


def _sentences(column: ColumnReport) -> Iterator[str]:
    moved = [check for check in column.checks if check.moved]
    for check in moved:
        effect = max(check.effects, key=lambda one: abs(one.value) / (one.threshold or 1e-9))
        yield sentence(effect_words(effect, column))
        if check.question == "values":
            yield from _compared(column)


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
