"""Looking at a window of the journal with the eyes of the training data: each version with its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec
import numpy as np

from trilho.bundle import DriftProfile, Schema
from trilho.journal import Rows
from trilho.metrics.calibration import Calibration
from trilho.monitoring.counting import Tally, answers_of
from trilho.monitoring.drift.changed_since import changed_since
from trilho.monitoring.judging import judge
from trilho.monitoring.report import ColumnReport, OtherVersion, Report
from trilho.project.file import DriftRule

SLICES = 24


@dataclass(frozen=True, kw_only=True)
class Reference:
    """What a version was trained on, from its bundle.

    Args:
        calibration: Of its probabilities on its test rows; None where nobody measured it.
        importance: Feature → what shuffling it cost the model on its test rows; {} where nobody measured it.
    """

    schema: Schema
    profile: DriftProfile
    calibration: Calibration | None = None
    importance: Mapping[str, float] = field(default_factory=dict)


Find = Callable[[str, str], Reference | None]


class Window:
    """The rows of a stretch of time, counted by version in memory that does not grow with them.

    Args:
        since, until: Seconds since 1970, UTC.
        find: Model, version → its reference; asked once for each. None where it cannot be had: its rows are counted and
            not looked at.
    """

    def __init__(self, *, since: float, until: float, find: Find) -> None:
        self.since, self.until = since, until
        self._find = find
        self._counted: dict[tuple[str, str], _Version | None] = {}
        self._rows: dict[tuple[str, str], int] = {}

    def add(self, part: Rows) -> None:
        """Count some rows; those outside the window are left out."""
        times = part.times.astype("datetime64[us]", copy=False).view(np.int64) / 1e6
        slices = np.floor((times - self.since) / (self.until - self.since) * SLICES).astype(np.int64)
        slices = np.where((times >= self.since) & (times < self.until), np.clip(slices, 0, SLICES - 1), -1)
        for model, version in _versions(part):
            mine = (part.models == model) & (part.versions == version) & (slices >= 0)
            count = int(mine.sum())
            if not count:
                continue
            key = model, version
            self._rows[key] = self._rows.get(key, 0) + count
            if key not in self._counted:
                reference = self._find(model, version)
                self._counted[key] = None if reference is None else _Version(reference)
            counted = self._counted[key]
            if counted is not None:
                counted.add(part, slices, mine, times)

    def merge(self, other: Window) -> None:
        """Add the rows that another counted: of the same window, at the same edges.

        Raises:
            ValueError: of another window, or a version has another profile there.
        """
        if (self.since, self.until) != (other.since, other.until):
            raise ValueError("windows of different times do not add up")
        for key, rows in other._rows.items():
            self._rows[key] = self._rows.get(key, 0) + rows
            mine, theirs = self._counted.get(key), other._counted[key]
            if mine is None:
                self._counted[key] = theirs
            elif theirs is not None:
                mine.merge(theirs)

    def report(self, model: str, version: str, rule: DriftRule) -> Report:
        """What is to be said of one version."""
        key = model, version
        counted = self._counted.get(key)
        if counted is None:
            reference = self._find(model, version)
            counted = _Version(reference) if reference is not None else None
        columns, predicted = counted.judged(self, rule) if counted is not None else ((), ())
        known = counted.reference if counted is not None else None
        return Report(
            model=model,
            version=version,
            since=self.since,
            until=self.until,
            rows=self._rows.get(key, 0),
            columns=tuple(sorted(columns, key=lambda column: (not column.moved, -column.effect))),
            predicted=predicted,
            share=rule.share,
            min_rows=rule.min_rows,
            alpha=rule.alpha,
            first=counted.first if counted is not None and counted.rows else None,
            last=counted.last if counted is not None and counted.rows else None,
            others=tuple(
                OtherVersion(model=key[0], version=key[1], rows=rows)
                for key, rows in sorted(self._rows.items(), key=lambda entry: -entry[1])
                if key != (model, version)
            ),
            importance=dict(known.importance) if known is not None else {},
            label_names=dict(zip(map(str, known.schema.labels), known.schema.label_names, strict=False))
            if known is not None
            else {},
        )

    def known_versions(self) -> tuple[tuple[str, str], ...]:
        """Model and version of those that answered and whose reference is known, the one with the most rows first."""
        known = [key for key, counted in self._counted.items() if counted is not None]
        return tuple(sorted(known, key=lambda key: -self._rows[key]))


def watch(
    journal: Iterable[Rows], *, model: str, version: str, find: Find, since: float, until: float, rule: DriftRule
) -> tuple[Report, ...]:
    """Compare what versions were asked, and what they answered, with their training data.

    Times always move and are left out. A feature that the journal does not keep has no rows and no verdict.

    Args:
        journal: The window, from `journal.read`.
        model, version: In charge: theirs is the first report, whether they answered or not.
        find: Model, version → reference, or None; as for `Window`.

    Returns:
        A report on each version that answered and has a reference; never empty.
    """
    window = Window(since=since, until=until, find=find)
    for part in _read_ahead(journal):
        window.add(part)
    others = [key for key in window.known_versions() if key != (model, version)]
    return tuple(window.report(*key, rule) for key in [(model, version), *others])


def evidence_of(metadata: Mapping[str, Any]) -> tuple[Calibration | None, Mapping[str, float]]:
    """What a bundle's metadata says of calibration and importance: nothing, where an older trilho made it."""
    found = metadata.get("calibration")
    return Calibration(**found) if found else None, metadata.get("importance") or {}


# ----------------------------------------------------------------------------------------------------------------------


def _read_ahead(journal: Iterable[Rows]) -> Iterator[Rows]:
    """The parts, the next of which is read while one is counted: neither holds Python's lock for long."""
    parts = iter(journal)
    with ThreadPoolExecutor(1, thread_name_prefix="trilho-read") as reader:
        coming = reader.submit(next, parts, None)
        while (part := coming.result()) is not None:
            coming = reader.submit(next, parts, None)
            yield part


class _Version:
    """What was counted of one version."""

    def __init__(self, reference: Reference) -> None:
        fields = {field.name: field for field in reference.schema.fields}
        self.reference = reference
        watched = [column for column in reference.profile.columns if fields[column.name].kind != "time"]
        self.columns = {column.name: Tally(column, SLICES, fields[column.name]) for column in watched}
        self.predicted = {column.name: Tally(column, SLICES) for column in reference.profile.predicted}
        self.rows, self.first, self.last = 0, np.inf, -np.inf

    def add(self, part: Rows, slices: np.ndarray, mine: np.ndarray, times: np.ndarray) -> None:
        """Count the rows `mine` of a part, each in its slice."""
        chosen = slices[mine]
        answers = answers_of(part.labels, part.probabilities, self.reference.schema)
        different = np.unique(chosen)
        for place in different:
            where = mine & (slices == place) if len(different) > 1 else mine
            rows: slice | np.ndarray = slice(None) if where.all() else where
            _count(self.columns, part.columns, rows, int(place))
            _count(self.predicted, answers, rows, int(place))
        self.rows += len(chosen)
        self.first, self.last = min(self.first, float(times[mine].min())), max(self.last, float(times[mine].max()))

    def merge(self, other: _Version) -> None:
        if self.reference.profile != other.reference.profile:
            raise ValueError("a version has two profiles")
        for mine, theirs in ((self.columns, other.columns), (self.predicted, other.predicted)):
            for name, tally in mine.items():
                tally.rows += theirs[name].rows
        self.rows += other.rows
        self.first, self.last = min(self.first, other.first), max(self.last, other.last)

    def judged(self, window: Window, rule: DriftRule) -> tuple[tuple[ColumnReport, ...], tuple[ColumnReport, ...]]:
        """Reports on the features, and on the answers."""
        profile = self.reference.profile
        found = []
        for tallies, columns in ((self.columns, profile.columns), (self.predicted, profile.predicted)):
            before = [column for column in columns if column.name in tallies]
            reports = judge(before, [tallies[column.name].counts() for column in before], rule)
            found.append(tuple(_dated(report, tallies[report.name], window, rule) for report in reports))
        return found[0], found[1]


def _count(
    tallies: Mapping[str, Tally], columns: Mapping[str, np.ndarray | None], rows: slice | np.ndarray, place: int
) -> None:
    for name, tally in tallies.items():
        values = columns.get(name)
        if values is not None:
            tally.add(place, values[rows])


def _versions(part: Rows) -> set[tuple[str, str]]:
    models, versions = set(part.models.tolist()), set(part.versions.tolist())
    if len(models) == len(versions) == 1:
        return {(models.pop(), versions.pop())}
    return set(zip(part.models.tolist(), part.versions.tolist(), strict=True))


def _dated(report: ColumnReport, tally: Tally, window: Window, rule: DriftRule) -> ColumnReport:
    """The report with the time that the move began: that of the window, if rows before a change had moved as well."""
    if not report.moved:
        return report
    bins = tally.rows[:, [*range(tally.bins), -1]]  # without the atoms, which are in other bins as well
    place = changed_since(bins) or 0
    if place and judge([tally.reference], [tally.counts(place)], replace(rule, min_rows=1))[0].moved:
        place = 0
    length = (window.until - window.since) / SLICES
    return msgspec.structs.replace(report, since=window.since + place * length)
