"""What to say first, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from trilho.monitoring.figures import cut, number, share
from trilho.monitoring.html.columns import since
from trilho.monitoring.measured import Measurement, Performance
from trilho.monitoring.report import Report
from trilho.monitoring.wording import sentence as worded
from trilho.monitoring.wording import unknown_words

State = Literal["bad", "note", "good", "unknown"]


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """Args:
    sentence: What happened.
    meaning: What it is called, and why.
    """

    state: State
    sentence: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Advice:
    """One thing to do, and the command for it where there is one."""

    text: str
    command: str = ""


def verdict(report: Report, performance: Performance | None) -> Verdict:
    """The report in two sentences."""
    dropped = performance is not None and performance.dropped(report.model, report.version)
    if not report.enough:
        sentence = f"Too few predictions to tell: {report.rows:,}, and {report.min_rows:,} are needed."
        return Verdict(state="bad" if dropped else "unknown", sentence=sentence, meaning=_fallen(report, performance))
    moved, judged = len(report.moved), len(report.judged)
    others = [
        name for name, did in (("the answers", report.prediction_drift), ("rows as a whole", _whole(report))) if did
    ]
    if not report.drift_known:
        rest = f", but {' and '.join(others)} did" if others else ""
        sentence = f"Nobody knows whether columns moved{rest}."
        meaning = f"{worded(unknown_words(report))} {_fallen(report, performance)}".strip()
        return Verdict(state="bad" if dropped else "note" if others else "unknown", sentence=sentence, meaning=meaning)
    if not moved:
        rest = f"but {' and '.join(others)} did" if others else "and the answers did not either"
        sentence = f"None of {judged} columns moved, {rest}."
        state: State = "bad" if dropped else "note" if others else "good"
        return Verdict(state=state, sentence=sentence, meaning=_fallen(report, performance))
    when = since(report.since_when, report)
    worst = cut(report.moved[0].name, 60)
    sentence = f"{moved} of {judged} columns moved {when}; worst: {worst}."
    limit = f"{share(report.share)} of the columns (monitor.drift.share)"
    meaning = f"This is drift: at least {limit} moved." if report.drift else f"Not called drift: less than {limit}."
    return Verdict(
        state="bad" if report.drift or dropped else "note",
        sentence=sentence,
        meaning=f"{meaning} {_fallen(report, performance)}".strip(),
    )


def advice(report: Report, performance: Performance | None) -> tuple[Advice, ...]:
    """What to do, the most urgent first."""
    return tuple(_advice(report, performance))


def meaning(report: Report, performance: Performance | None) -> str:
    """What the moves mean for the model, as far as anybody can tell."""
    if not report.enough:
        return "So few rows differ from the training rows by chance alone; the pictures below show them all the same."
    newest = performance.newest(report.model, report.version) if performance else None
    if not report.drift_known:
        stayed = "moved" if report.prediction_drift else "stayed as they were on the test data"
        return f"Its answers {stayed}; whether the inputs moved is not known."
    answers = "Its answers moved too" if report.prediction_drift else "Its answers stayed as they were on the test data"
    if not report.moved and _whole(report) and not report.prediction_drift:
        return "Each column is spread as before, but they do not belong together as they did."
    if not report.moved:
        return (
            f"{answers}, while the inputs did not." if report.prediction_drift else "Inputs and answers are as before."
        )
    if newest is None:
        return f"{answers}. Whether they are still right, only true labels can tell."
    if newest.below:
        return f"{answers}, and labels show that they are worse than is asked."
    if not _has_floor(newest):
        return f"{answers}. Labels give the numbers below; what they must reach is not set (evaluate.thresholds)."
    return f"{answers}. The labels that came show none of its metrics below its floor."


# ----------------------------------------------------------------------------------------------------------------------


def _fallen(report: Report, performance: Performance | None) -> str:
    newest = performance.newest(report.model, report.version) if performance else None
    if newest is None or not newest.below:
        return ""
    one = newest.below[0]
    side = "below" if one.greater_is_better else "above"
    return f"{one.metric} is {number(one.value or 0.0)}, {side} the {number(one.floor or 0.0)} that is asked."


def _whole(report: Report) -> bool:
    return report.whole_rows is not None and report.whole_rows.moved


def _has_floor(measurement: Measurement) -> bool:
    return any(one.floor is not None for one in measurement.measured)


def _advice(report: Report, performance: Performance | None) -> Iterator[Advice]:
    newest = performance.newest(report.model, report.version) if performance else None
    fallen = newest is not None and bool(newest.below)
    any_moved = bool(report.moved) or report.prediction_drift or _whole(report)
    questions = {check.question for column in report.moved for check in column.checks if check.moved}
    if report.enough and questions & {"missing", "new categories", "out of range"}:
        names = ", ".join(cut(column.name, 40) for column in report.moved[:3])
        yield Advice(
            text=f"Ask first whether the source changed: {names}. A missing join, another unit or a renamed category "
            "looks like this, and no training repairs it."
        )
    if fallen:
        yield Advice(text="Go back to the version before, if that was better on such rows:", command="trilho rollback")
        yield Advice(text="Train on newer rows; the gates compare before anything goes live:", command="trilho run")
    if not report.enough:
        yield Advice(text="Wait for more predictions, or look further back:", command="trilho monitor --window 7d")
    elif newest is None and (any_moved or not report.drift_known):
        yield Advice(
            text="Send what turned out to be true, to know if it matters:", command="trilho feedback labels.csv"
        )
    elif report.drift and not fallen and newest is not None:
        hold = "The answers hold so far" if _has_floor(newest) else "Compare the metrics with those of the test data"
        yield Advice(text=f"{hold}. Train again when there are labels enough:", command="trilho run")
    if report.enough and any_moved:
        yield Advice(text="See what the journal holds of this window:", command="trilho journal")
    if report.enough and not report.drift_known and report.columns:
        yield Advice(text="Let the journal keep columns, so that they can be looked at (journal.columns).")
    elif report.enough and not any_moved and not fallen:
        yield Advice(text="Nothing." if report.drift_known else "Nothing, as far as answers and labels tell.")
