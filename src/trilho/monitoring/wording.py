"""What was found, in words: for the terminal and the page alike, each begun small and without a full stop."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from trilho.monitoring.agreement import Shadow
from trilho.monitoring.figures import number, share
from trilho.monitoring.report import ColumnReport, Effect, Report, WholeRows


def unknown_words(report: Report) -> str:
    """Why there is no verdict on drift, of a report that has none."""
    if not report.enough:
        return f"{report.min_rows} predictions are needed (monitor.drift.min_rows)"
    if not report.columns:
        return "no column can be compared: times and images are not looked at"
    return "no column is in enough of the journal's rows (journal.columns)"


def effect_words(effect: Effect, column: ColumnReport) -> str:
    """Measured against allowed: "values moved by 0.42 standard deviations; 0.1 is allowed"."""
    allowed = f"{number(100 * effect.threshold)}%"
    moved = share(abs(effect.value))
    before = share(min(max(column.missing - effect.value, 0.0), 1.0))
    return {
        "wasserstein": f"values moved by {effect.value:.2f} standard deviations; {effect.threshold:g} is allowed",
        "population_stability": f"values are spread otherwise: stability index {effect.value:.2f}; "
        f"{effect.threshold:g} is allowed",
        "jensen_shannon": f"shares are others: they differ by {effect.value:.2f} on a scale from 0 to 1; "
        f"{effect.threshold:g} is allowed",
        "missing_share": f"missing in {share(column.missing)} of the rows, in training {before}; "
        f"a change of {allowed} is allowed",
        "out_of_range": f"{moved} of the rows lie outside the range of training; {allowed} is allowed",
        "new_categories": f"{moved} of the rows are in categories that training never saw; {allowed} is allowed",
    }.get(effect.method, f"{effect.method} {number(effect.value)}; {number(effect.threshold)} is allowed")


def importance_words(importance: Mapping[str, float], name: str) -> str:
    """How much the model leans on a column; "" where nobody measured it.

    Example:
        >>> importance_words({"age": 0.1, "plan": 0.04, "city": 0.0}, "plan")
        '2nd of 3 in importance to the model'
        >>> importance_words({"age": 0.1, "plan": 0.04, "city": 0.0}, "city")
        'the model does as well without it'
    """
    if name not in importance:
        return ""
    if importance[name] <= 0:
        return "the model does as well without it"
    place = 1 + sum(value > importance[name] for value in importance.values())
    tens = place // 10 % 10
    ending = "th" if tens == 1 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending} of {len(importance)} in importance to the model"


def whole_rows_words(found: WholeRows) -> str:
    """What the classifier could tell."""
    if found.problem:
        return found.problem
    chance = "" if found.significant else ", and chance could do that"
    return (
        f"a classifier told rows of this window from the first rows of this version in {found.accuracy:.1%} of "
        f"{found.held_out:,} tries{chance}; {found.allowed:.0%} is allowed, 50% is guessing"
    )


def shadow_words(found: Shadow, names: Mapping[str, str]) -> str:
    """How the challenger's answers compare.

    Args:
        names: Label as text → its name, of the champion.
    """
    if found.agreement is None:
        return found.problem.removesuffix(".")
    refused = f"; it does not take {found.refused:,} others" if found.refused else ""
    if found.interval is None:
        return (
            f"of {found.rows:,} rows its numbers are {number(found.difference or 0.0)} apart on average; concordance "
            f"{found.agreement:.3f}, where 1 is the same numbers{refused}"
        )
    low, high = found.interval
    kappa = "" if found.kappa is None else f"; kappa {found.kappa:.2f}"
    changes = [
        f"{change.rows:,} called {names.get(change.challenger, change.challenger)} instead of "
        f"{names.get(change.champion, change.champion)}"
        for change in found.changes
    ]
    told = f"; {', '.join(changes)}" if changes else ""
    return (
        f"the same label for {share(found.agreement)} of {found.rows:,} rows ({share(low)} to {share(high)}){kappa}"
        f"{told}{refused}"
    )


def named(column: ColumnReport, names: Mapping[str, str]) -> ColumnReport:
    """The column with the names of labels beside them, where they have some: "malignant (0)"."""
    labels = tuple(
        f"{names[label]} ({label})" if names.get(label, label) != label else label for label in column.histogram.labels
    )
    return replace(column, histogram=replace(column.histogram, labels=labels))


def sentence(words: str) -> str:
    """With a great letter and a full stop; nothing stays nothing."""
    return f"{words[0].upper()}{words[1:]}." if words else ""


def estimate_words(report: Report, tested: int, error: float | None) -> str:
    """What an estimate rests on."""
    return (
        f"estimated, not measured: from the probabilities of v{report.version} itself, which were off by "
        f"about {error or 0.0:.3f} on {tested:,} test rows; wrong where the same inputs have come to mean "
        "something else, which only labels can tell"
    )
