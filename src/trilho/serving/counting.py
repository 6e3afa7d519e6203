"""What one worker counts, in plain Python: a request has some 10 µs to spend, all told, and a metric library's shared
memory would take most of it.

Totals are only ever added to. Every worker writes its own into a file of a folder that the workers of one server
share; whoever is asked for /metrics adds up the files, so that no number is ever counted by two. A worker that died
leaves its file, and what it counted stays counted.
"""

from __future__ import annotations

import os
from bisect import bisect_left
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

# Upper edges in seconds, as Prometheus' buckets are: compiled models answer below a millisecond.
SECONDS = (
    *(0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025),
    *(0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)  # fmt: skip


class Histogram(msgspec.Struct):
    """How many observations fell below each edge (and above the last), and their sum."""

    counts: list[int] = msgspec.field(default_factory=lambda: [0] * (len(SECONDS) + 1))
    total: float = 0.0

    def observe(self, seconds: float) -> None:
        self.counts[bisect_left(SECONDS, seconds)] += 1
        self.total += seconds

    def add(self, other: Histogram) -> None:
        self.counts = [mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True)]
        self.total += other.total


_BREAK = "\n"

Requests = dict[str, int]  # keys are label values joined by line breaks, which none of them holds
Durations = dict[str, Histogram]


class Counts(msgspec.Struct):
    """Everything that one worker has counted, or several have together.

    Args:
        requests: By method, path, status.
        durations: From the first byte of a request to the last of its answer, by method and path.
        models: Inside the model, by name and version.
        queued: From the whole body to the model's turn, by name and version.
        predictions: Rows, by name, version and label ("" for regression).
        failures: Requests that the model itself failed at, by name and version; those of its rows are not among them.
        rows: By what became of them: journaled, lost.
        gauges, worst: How things are now: summed over workers; the largest of all workers.
    """

    requests: Requests = msgspec.field(default_factory=dict)
    durations: Durations = msgspec.field(default_factory=dict)
    models: Durations = msgspec.field(default_factory=dict)
    queued: Durations = msgspec.field(default_factory=dict)
    predictions: Requests = msgspec.field(default_factory=dict)
    failures: Requests = msgspec.field(default_factory=dict)
    rows: Requests = msgspec.field(default_factory=dict)
    gauges: dict[str, float] = msgspec.field(default_factory=dict)
    worst: dict[str, float] = msgspec.field(default_factory=dict)

    def add(self, other: Counts) -> None:
        """Count what the other counted, too."""
        for name in ("requests", "predictions", "failures", "rows", "gauges"):
            mine = getattr(self, name)
            for key, value in getattr(other, name).items():
                mine[key] = mine.get(key, 0) + value
        for key, value in other.worst.items():
            self.worst[key] = max(self.worst.get(key, value), value)
        for name in ("durations", "models", "queued"):
            histograms = getattr(self, name)
            for key, histogram in getattr(other, name).items():
                histograms.setdefault(key, Histogram()).add(histogram)


class Tally:
    """The counts of one version, at hand: what every request adds to is found once.

    Args:
        key: Of name and version.
        words: Label → its name; empty for regression, whose rows are counted without one.
    """

    def __init__(self, counts: Counts, key: str, words: Mapping[Any, str]) -> None:
        self.model = counts.models.setdefault(key, Histogram())
        self.queue = counts.queued.setdefault(key, Histogram())
        self.rows = counts.predictions
        self._key, self._failures = key, counts.failures
        self._failures.setdefault(key, 0)
        self.words = {label: f"{key}\n{word.replace(_BREAK, ' ')}" for label, word in words.items()}
        self._plain = f"{key}\n"
        for name in self.words.values() or (self._plain,):
            self.rows.setdefault(name, 0)

    def fail(self) -> None:
        """Count a request that the model failed at."""
        self._failures[self._key] += 1

    def add(self, values: Sequence[Any]) -> None:
        """Count the rows of one request by their labels."""
        if not self.words:
            self.rows[self._plain] += len(values)
            return
        for value, rows in Counter(values).items():
            self.rows[self.words[value]] += rows


class Folder:
    """The folder in which the workers of one server leave what they have counted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.mine = path / f"worker-{os.getpid()}.json"

    def write(self, counts: Counts) -> None:
        """Leave this worker's totals, whole or not at all. Raises OSError."""
        fresh = self.mine.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(counts))
        fresh.replace(self.mine)

    def together(self, counts: Counts) -> Counts:
        """This worker's totals, as they are now, and those that the others wrote last."""
        whole = Counts()
        whole.add(counts)
        for path in self.path.glob("*.json"):
            if path != self.mine and (other := _read(path)) is not None:
                whole.add(other)
        return whole


def fold(folder: Path, pid: int) -> None:
    """Keep what the worker `pid`, which is dead, has counted; what it said about "now" is over.

    Only the parent calls this: one file at a time moves into the one for all dead workers.
    """
    path = folder / f"worker-{pid}.json"
    counts = _read(path)
    if counts is None:
        return
    counts.gauges.clear()
    counts.worst.clear()
    past = folder / "past.json"
    counts.add(_read(past) or Counts())
    fresh = folder / "past.new"
    fresh.write_bytes(msgspec.json.encode(counts))
    path.unlink()  # a reader sees the dead worker's counts a moment late, never twice
    fresh.replace(past)


# ----------------------------------------------------------------------------------------------------------------------

_READER: msgspec.json.Decoder[Any] = msgspec.json.Decoder(Counts)


def _read(path: Path) -> Counts | None:
    try:
        found: Counts = _READER.decode(path.read_bytes())
        return found
    except (OSError, msgspec.DecodeError):
        return None
