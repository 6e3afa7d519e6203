"""What to say of right and wrong answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from trilho.metrics import METRICS
from trilho.monitoring.figures import duration, moment, number
from trilho.monitoring.measured import Estimated, Measured, Measurement, Performance
from trilho.monitoring.report import Report
from trilho.monitoring.wording import estimate_words, sentence


@dataclass(frozen=True, kw_only=True)
class Metric:
    """A row of the table: the number, where it probably is, and what is asked."""

    name: str
    help: str
    value: str
    interval: str
    asked: str
    verdict: str  # "below", "perhaps below", "kept", or "" where nothing is asked


@dataclass(frozen=True, kw_only=True)
class Dot:
    """One window in the drawing; heights in percent from below. `value` is "" for a window with too few labels."""

    day: str
    labelled: int
    value: str = ""
    at: float = 0.0
    low: float = 0.0
    high: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Args:
    sentence: The state of it, first.
    metrics: () with too few labels.
    drawn: The metric of the dots, "" without dots.
    floor: Height of its floor in percent, None without.
    notes: What became of labels that count nowhere, or late.
    estimated: What probabilities alone say of the newest window; never a verdict.
    estimate: What that rests on, or why there is none; "" where nobody asked.
    """

    sentence: str
    metrics: tuple[Metric, ...]
    drawn: str
    dots: tuple[Dot, ...]
    floor: float | None
    notes: tuple[str, ...]
    estimated: tuple[Metric, ...] = ()
    estimate: str = ""


def answers(performance: Performance | None, report: Report) -> Answers:
    """Of the version that the report is on."""
    newest = performance.newest(report.model, report.version) if performance else None
    found = performance.estimate if performance else None
    dots, floor = _dots(performance.of(report.model, report.version) if performance else ())
    return Answers(
        sentence=_sentence(performance, newest, report),
        metrics=tuple(_metric(one) for one in newest.measured) if newest else (),
        drawn=newest.measured[0].metric if newest and newest.measured and dots else "",
        dots=dots,
        floor=floor,
        notes=tuple(_notes(performance, report)) if performance else (),
        estimated=tuple(map(_estimated, found.estimated)) if found else (),
        estimate=(found.problem or sentence(estimate_words(report, found.tested, found.error))) if found else "",
    )


# ----------------------------------------------------------------------------------------------------------------------


def _sentence(performance: Performance | None, newest: Measurement | None, report: Report) -> str:
    if performance is None or not performance.labels:
        return "No true labels have come, so nobody knows how many of these answers were right."
    if newest is None:
        total = performance.total(report.model, report.version)
        have, need = (total.labelled, total.min_labels) if total else (0, 0)
        some = f"{have:,} of the {need:,} labels that are needed" if total else "No labels"
        return f"{some} have come for this version: too few to say how many answers were right."
    when = f"answered from {moment(newest.since)} to {moment(newest.until)}"
    return f"From {newest.labelled:,} answers whose truth is known, {when} UTC."


def _metric(one: Measured) -> Metric:
    metric = METRICS[one.metric]
    verdict = ""
    if one.floor is not None and one.value is not None:
        verdict = "below" if one.below else "perhaps below" if one.under else "kept"
        verdict = verdict if metric.greater_is_better else verdict.replace("below", "above")
    asked = "" if one.floor is None else f"{'at least' if metric.greater_is_better else 'at most'} {number(one.floor)}"
    return Metric(
        name=one.metric,
        help=metric.help,
        value="undefined" if one.value is None else f"{one.value:.3f}" if abs(one.value) < 100 else number(one.value),
        interval=f"{_short(one.interval[0])} to {_short(one.interval[1])}" if one.interval else "",
        asked=asked,
        verdict=verdict,
    )


def _estimated(one: Estimated) -> Metric:
    low, high = one.interval
    about = METRICS[one.metric].help
    return Metric(
        name=one.metric,
        help=about,
        value=_short(one.value),
        interval=f"{_short(low)} to {_short(high)}",
        asked="",
        verdict="",
    )


def _short(value: float) -> str:
    return f"{value:.3f}" if abs(value) < 100 else number(value)


def _dots(windows: Sequence[Measurement]) -> tuple[tuple[Dot, ...], float | None]:
    """The first metric over time, oldest first, on a scale that holds all of it and its floor."""
    known = [(window, one) for window in windows for one in window.measured[:1] if one.value is not None]
    if len(known) < 2:  # a single one is in the table
        return (), None
    ends = [bound for _, one in known for bound in (one.interval or (one.value or 0.0,))]
    floor = known[0][1].floor
    ends += [] if floor is None else [floor]
    low, high = min(ends), max(ends)
    room = (high - low) * 0.1 or 0.05
    low, span = low - room, high - low + 2 * room

    def height(value: float) -> float:
        return round(100 * (value - low) / span, 1)

    by_window = {window.until: one for window, one in known}
    dots = []
    for window in reversed(windows):
        day, one = moment(window.until - 1).rsplit(" ", 1)[0], by_window.get(window.until)
        if one is None or one.value is None:
            dots.append(Dot(day=day, labelled=window.labelled))
            continue
        begin, end = one.interval or (one.value, one.value)
        place = {"at": height(one.value), "low": height(begin), "high": height(end)}
        dots.append(Dot(day=day, labelled=window.labelled, value=_short(one.value), **place))
    return tuple(dots), None if floor is None else height(floor)


def _notes(performance: Performance, report: Report) -> Iterator[str]:
    total = performance.total(report.model, report.version)
    length = duration(performance.until - performance.since)
    if total is not None and total.delay is not None:
        yield f"Labels come {duration(total.delay)} after the answer (median of the last {length})."
    late = sum(window.late for window in performance.of(report.model, report.version))
    if late:
        yield f"{late:,} came after their window had ended; they count in the window of their answer."
    if performance.repeated:
        yield f"{performance.repeated:,} came for an answer that had one already; the latest counts."
    if performance.unmatched:
        yield (
            f"{performance.unmatched:,} are of no answer of the last {length}: older, deleted, not in the journal, "
            "or a wrong id. They count nowhere."
        )
    if total is not None and total.unusable:
        yield f"{total.unusable:,} are none that this version can give. They count nowhere."
    if performance.damaged:
        yield f"{performance.damaged:,} lines of labels could not be read: their writer was killed."
