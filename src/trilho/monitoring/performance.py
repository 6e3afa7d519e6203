"""How right the answers were, as far as labels say so by now: by version and window, each number with an interval.

A label counts in the window that its prediction was answered in, whenever it came. So the windows before the newest are
measured again each time, and fill up as labels come late. What else labels do is decided in `journal.truth` and counted
here: of several for one prediction the latest counts; one whose prediction is not in these windows counts nowhere.

Source:
    Bickel, Götze & van Zwet (1997), Resampling fewer than n observations: gains, losses, and remedies for losses,
    Statistica Sinica 7(1), 1-31: the standard error of n rows from resampling m of them, times sqrt(m / n).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from trilho.bundle import Schema
from trilho.errors import CannotPredict
from trilho.gates.bootstrap import estimate
from trilho.journal import LabelledRows, read_labelled, read_truth
from trilho.metrics import METRICS, Outcome
from trilho.monitoring.measured import Measured, Measurement, Performance
from trilho.monitoring.watching import Find

WINDOWS = 7
_MOST_ROWS = 10_000  # that are resampled: a thousand times takes a second
_BOUND = 0.975  # confidence of each of the two bounds: 95 % between them


def measure(
    folder: Path | Sequence[Path],
    *,
    since: float,
    until: float,
    find: Find,
    metrics: Iterable[str],
    floors: Mapping[str, float] | None = None,
    min_labels: int = 50,
    windows: int = WINDOWS,
) -> Performance:
    """Measure the window since <= time < until and those of the same length before it.

    Args:
        folder: Of the journal; several where replicas write to their own.
        find: Model, version → its reference, as for `watch`; answers of versions without one are left out.
        metrics: Names; those that trilho does not have, or that need what a model does not give, are left out.
        floors: Metric → limit; measured too.
        min_labels: Fewer give no number.

    Raises:
        JournalUnreadable: a file may not be read or is damaged.
    """
    length = until - since
    start = until - windows * length
    truth = read_truth(folder, since=start)
    floors = floors or {}
    names = [name for name in dict.fromkeys([*metrics, *floors]) if name in METRICS]
    answers: dict[tuple[str, str], _Answers | None] = {}
    if truth.labels:
        for part in read_labelled(folder, since=start, until=until, truth=truth, columns=()):
            for key in sorted(set(zip(part.rows.models.tolist(), part.rows.versions.tolist(), strict=True))):
                if key not in answers:
                    reference = find(*key)
                    answers[key] = None if reference is None else _Answers(reference.schema)
                known = answers[key]
                if known is not None:
                    known.add(part, (part.rows.models == key[0]) & (part.rows.versions == key[1]))
    edges = [(max(start, until - (place + 1) * length), until - place * length) for place in range(windows)]
    found, whole = [], []
    for (model, version), mine in answers.items():
        if mine is not None:
            ask = _Question(model=model, version=version, names=names, floors=floors, min_labels=min_labels)
            found += [one for begin, end in edges if (one := ask.measurement(mine, begin, end)).labelled + one.unusable]
            whole.append(ask.measurement(mine, start, until))
    return Performance(
        since=start,
        until=until,
        windows=tuple(sorted(found, key=lambda one: -one.until)),
        whole=tuple(whole),
        labels=truth.labels,
        repeated=truth.repeated,
        unmatched=truth.unmatched,
        damaged=truth.damaged,
    )


# ----------------------------------------------------------------------------------------------------------------------


class _Answers:
    """A version's answers with a label, of all windows."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema
        self.truth: list[object] = []
        self.predicted: list[object] = []
        self._chances: list[np.ndarray | None] = []
        self._times: list[np.ndarray] = []
        self._came: list[np.ndarray] = []

    def add(self, part: LabelledRows, mine: np.ndarray) -> None:
        self.truth += part.truth[mine].tolist()
        self.predicted += part.rows.labels[mine].tolist()
        chances = part.rows.probabilities
        self._chances.append(None if chances is None else chances[mine])
        self._times.append(_seconds(part.rows.times[mine]))
        self._came.append(_seconds(part.times[mine]))

    def times(self) -> tuple[np.ndarray, np.ndarray]:
        """When each was answered, and when its label came."""
        return np.concatenate(self._times), np.concatenate(self._came)

    def usable(self) -> np.ndarray:
        """Which labels are of the kind that this version answers."""
        if self.schema.labels:
            labels = {(isinstance(label, str), label) for label in self.schema.labels}
            return np.array([(isinstance(value, str), value) in labels for value in self.truth], dtype=bool)
        return np.array(
            [type(value) in (int, float) and math.isfinite(value) for value in self.truth],  # type: ignore[arg-type]
            dtype=bool,
        )

    def outcome(self, chosen: np.ndarray) -> Outcome:
        schema = self.schema
        kind = object if schema.labels else np.float64
        truth, predicted = (_filled(values, chosen, kind) for values in (self.truth, self.predicted))
        chances = None
        parts = [part for part in self._chances if part is not None and part.shape[1] == len(schema.labels)]
        if schema.labels and len(parts) == len(self._chances):
            chances = np.concatenate(parts)[chosen]
        return Outcome(
            truth=truth, predicted=predicted, probabilities=chances, labels=schema.labels, positive=schema.positive
        )


@dataclass(frozen=True, kw_only=True)
class _Question:
    """What is asked of a version."""

    model: str
    version: str
    names: Sequence[str]
    floors: Mapping[str, float]
    min_labels: int

    def measurement(self, answers: _Answers, since: float, until: float) -> Measurement:
        answered, came = answers.times()
        inside, usable = (answered >= since) & (answered < until), answers.usable()
        chosen = np.flatnonzero(inside & usable)
        enough = len(chosen) >= max(self.min_labels, 1)
        return Measurement(
            model=self.model,
            version=self.version,
            since=since,
            until=until,
            labelled=len(chosen),
            min_labels=self.min_labels,
            late=int((came[chosen] >= until).sum()),
            unusable=int((inside & ~usable).sum()),
            delay=float(np.median(came[chosen] - answered[chosen])) if len(chosen) else None,
            measured=tuple(self._measured(answers.outcome(chosen))) if enough else (),
        )

    def _measured(self, outcome: Outcome) -> Iterable[Measured]:
        task = "classification" if outcome.labels else "regression"
        for name in self.names:
            if task in METRICS[name].tasks:
                try:
                    value = float(METRICS[name].score(outcome))
                except CannotPredict:  # it needs probabilities, which this version does not give
                    continue
                yield Measured(
                    metric=name,
                    value=value if math.isfinite(value) else None,
                    interval=_interval(name, value, outcome),
                    floor=self.floors.get(name),
                )


def _interval(name: str, value: float, outcome: Outcome) -> tuple[float, float] | None:
    """The same resampling as beside the gates' thresholds, of at most `_MOST_ROWS` rows."""
    if outcome.rows < 2 or not math.isfinite(value):
        return None
    some = outcome
    if outcome.rows > _MOST_ROWS:
        chosen = np.random.default_rng(0).choice(outcome.rows, _MOST_ROWS, replace=False)
        some = Outcome(
            truth=outcome.truth[chosen],
            predicted=outcome.predicted[chosen],
            probabilities=None if outcome.probabilities is None else outcome.probabilities[chosen],
            labels=outcome.labels,
            positive=outcome.positive,
        )
    strata = some.truth_codes if some.labels else None
    found = estimate(METRICS[name].scorer(some), rows=some.rows, strata=strata, confidence=_BOUND)
    if not math.isfinite(found.standard_error) or found.standard_error <= 1e-9 * max(1.0, abs(value)):
        return None
    scale = math.sqrt(some.rows / outcome.rows)
    least, most = METRICS[name].range
    lower, upper = ((bound - found.value) * scale + value for bound in (found.lower, found.upper))
    return max(lower, least), min(upper, most)


def _seconds(times: np.ndarray) -> np.ndarray:
    found: np.ndarray = times.astype("datetime64[us]").astype(np.int64) / 1e6
    return found


def _filled(values: Sequence[object], chosen: np.ndarray, kind: type) -> np.ndarray:
    """The chosen values as an array of this type, objects as they are."""
    found: np.ndarray = np.empty(len(chosen), dtype=kind)
    found[:] = [values[place] for place in chosen]
    return found
