"""What monitoring found in a window, as frozen values with a JSON form.

A Report holds columns; a column holds checks (what was asked: have the values moved, are more missing, …); a check
holds one p-value and the effects that are measured beside it. Whoever words, draws or exposes a report reads these and
nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from trilho.errors import JournalUnreadable
from trilho.monitoring.agreement import Shadow

FORMAT = 1

Question = Literal["values", "missing", "out of range", "new categories"]


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """How large a difference is, by one method.

    Args:
        method: The name of its file in `drift/`.
        threshold: What it must exceed; from `monitor.drift`.
        interval: 95 %, where the method has one.
        error: By how much binning may have changed the value, either way; 0 where counts say all there is to know.
    """

    method: str
    value: float
    threshold: float
    interval: tuple[float, float] | None = None
    error: float = 0.0

    @property
    def over(self) -> bool:
        """Is it greater than the threshold, in either direction?"""
        return abs(self.value) > self.threshold


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One question asked of one column.

    Args:
        test: The method that the p-value is from.
        p_value: Of this test alone.
        adjusted: After Benjamini-Hochberg over all checks of all columns.
        significant: Is that at most `alpha`?
    """

    question: Question
    test: str
    p_value: float
    adjusted: float
    significant: bool
    effects: tuple[Effect, ...]

    @property
    def moved(self) -> bool:
        """Do both say so: more than chance, and more than the threshold?"""
        return self.significant and any(effect.over for effect in self.effects)


class Histogram(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of a column in few bins, for a drawing.

    Args:
        edges: Of numbers, ascending: bin 0 is x <= edges[0], the last one x > edges[-1]; () for categories.
        labels: Of categories, the most frequent of the training rows first; () for numbers.
        reference, current: Rows in each bin. One more than edges, or as many as labels and one for all others.
    """

    reference: tuple[int, ...]
    current: tuple[int, ...]
    edges: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()


class ColumnReport(msgspec.Struct, frozen=True, kw_only=True):
    """One column, or the prediction.

    Args:
        kind: What is counted: numbers, or categories.
        rows: Of the window, with and without a value; 0 for a feature that the journal does not keep.
        reference_rows: Of the training data (of the test data for predictions).
        missing: Share of the window's rows without a value.
        checks: () where there are too few rows.
        since: Seconds since 1970 at which the move began, to a 24th of the window; the window's begin where it was
            there from the first row on; None for a column that has not moved.
    """

    name: str
    kind: Literal["number", "category"]
    rows: int
    reference_rows: int
    missing: float
    checks: tuple[Check, ...]
    histogram: Histogram
    since: float | None = None

    @property
    def moved(self) -> bool:
        """Does one of its checks say so?"""
        return any(check.moved for check in self.checks)

    @property
    def effect(self) -> float:
        """The greatest effect as a multiple of its threshold: 1 is at the threshold. For sorting and for a gauge."""
        effects = [effect for check in self.checks for effect in check.effects]
        return max((abs(effect.value) / (effect.threshold or 1e-9) for effect in effects), default=0.0)

    @property
    def worst(self) -> tuple[Check, Effect] | None:
        """What to tell of it: of what moved, or else of all, the check and its greatest effect."""
        checks = [check for check in self.checks if check.moved] or list(self.checks)
        pairs = [(check, effect) for check in checks for effect in check.effects]
        return max(pairs, key=lambda pair: abs(pair[1].value) / (pair[1].threshold or 1e-9), default=None)


class WholeRows(msgspec.Struct, frozen=True, kw_only=True):
    """Can a classifier tell rows of the window from the first rows that this version answered?

    Args:
        accuracy, auc: On rows that it did not learn from; 0.5 is guessing.
        held_out: How many these were.
        allowed: Accuracy up to which nothing has moved.
        alpha: The p-value must be at most this.
        since, until: When the earlier rows were answered, seconds since 1970.
        problem: Why it was not asked; then the other figures mean nothing.
    """

    accuracy: float = 0.5
    auc: float = 0.5
    p_value: float = 1.0
    held_out: int = 0
    allowed: float = 0.55
    alpha: float = 0.01
    since: float | None = None
    until: float | None = None
    problem: str = ""

    @property
    def significant(self) -> bool:
        return self.p_value <= self.alpha

    @property
    def moved(self) -> bool:
        """Do both say so: more than chance, and more than is allowed?"""
        return not self.problem and self.significant and self.accuracy > self.allowed


class OtherVersion(msgspec.Struct, frozen=True, kw_only=True):
    """Rows of the window that this report does not look at."""

    model: str
    version: str
    rows: int


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A version's answers in a window, against what it was trained on.

    Args:
        since, until: Of the window, seconds since 1970, UTC.
        rows: Answered by this version in it.
        first, last: Times of the first and the last of them; None where there are none.
        others: Answered by other versions, which have reports of their own if their profile is known.
        columns: Features, what moved first; without checks where there are too few rows to say anything.
        predicted: The same of the answers: labels, and scores where there are.
        share, min_rows, alpha: The settings that decide.
        importance: Feature → what shuffling it costs the model; {} where nobody measured it.
        label_names: Label as text → its name.
        whole_rows: None where nobody asked (monitor.whole_rows).
        shadow: None where nobody asked (monitor.shadow), or where there is no challenger.
    """

    model: str
    version: str
    since: float
    until: float
    rows: int
    columns: tuple[ColumnReport, ...]
    predicted: tuple[ColumnReport, ...]
    share: float
    min_rows: int
    alpha: float
    first: float | None = None
    last: float | None = None
    others: tuple[OtherVersion, ...] = ()
    importance: Mapping[str, float] = {}
    label_names: Mapping[str, str] = {}
    whole_rows: WholeRows | None = None
    shadow: Shadow | None = None

    @property
    def enough(self) -> bool:
        """Are there rows enough for a verdict?"""
        return self.rows >= self.min_rows

    @property
    def drift_known(self) -> bool:
        """Is there a verdict on drift? Not where no feature was judged: the journal keeps none, or all are images."""
        return self.enough and bool(self.judged)

    @property
    def judged(self) -> tuple[ColumnReport, ...]:
        """The features with rows enough: `share` is of these."""
        return tuple(column for column in self.columns if column.checks)

    @property
    def moved(self) -> tuple[ColumnReport, ...]:
        """The features that did."""
        return tuple(column for column in self.columns if column.moved)

    @property
    def drift(self) -> bool:
        """Did at least `share` of the features move? Means nothing unless `drift_known`."""
        return bool(self.moved) and len(self.moved) >= self.share * len(self.judged)

    @property
    def prediction_drift(self) -> bool:
        """Did the answers move? They may without any feature, and need not where features do."""
        return any(column.moved for column in self.predicted)

    @property
    def since_when(self) -> float | None:
        """When the first of the features that moved began to."""
        return min((column.since for column in self.moved if column.since is not None), default=None)

    def to_json(self) -> str:
        """The report as text; `from_json` gives back an equal one."""
        return msgspec.json.encode({"format": FORMAT, **self.facts()}).decode()

    def facts(self) -> dict[str, Any]:
        """All there is to know, in plain values: with `moved`, and `drift`, which is null where nobody can tell."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        for columns, reports in (("columns", self.columns), ("predicted", self.predicted)):
            for entry, column in zip(found[columns], reports, strict=True):
                entry["moved"], entry["effect"] = column.moved, column.effect
        found["drift"] = self.drift if self.drift_known else None
        found["prediction_drift"] = self.prediction_drift if self.enough else None
        if self.whole_rows is not None:
            found["whole_rows"]["moved"] = self.whole_rows.moved
        return found

    @classmethod
    def from_json(cls, text: str | bytes) -> Report:
        """Raises JournalUnreadable: not a report, cut off, or one of a newer format."""
        try:
            form = msgspec.json.decode(text, type=_Form).format
            if form <= FORMAT:
                return msgspec.json.decode(text, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise JournalUnreadable(
                f"A report of monitoring cannot be read: {error}.",
                remedy="Make a new one: trilho monitor",
            ) from error
        raise JournalUnreadable(
            f"A report of monitoring has format {form}; this trilho reads up to {FORMAT}.",
            remedy="Upgrade: pip install -U trilho",
        )


# ----------------------------------------------------------------------------------------------------------------------


class _Form(msgspec.Struct):
    format: int
