"""Does what is shipped give the answers of what was trained? Measured before a version exists, and kept with it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from trilho.bundle.predictions import Predictions

# Two labels whose probabilities in the model itself differ by less than this are a tie: which one wins there is decided
# by the order in which a sum was taken, and changes with the number of threads.
TIE = 1e-12
_ONE_BY_ONE = 100


@dataclass(frozen=True, kw_only=True)
class Probe:
    """One set of rows, answered by the model and by what is shipped.

    Args:
        largest: The largest difference of a probability; for regression of the number, relative where it is above 1.
        flips: Rows whose labels differ.
        ties: Of the rows, those that differ only because the model's two best labels are equally likely.
    """

    name: str
    rows: int
    largest: float
    flips: int
    ties: int = 0


@dataclass(frozen=True, kw_only=True)
class ParityReport:
    """All probes of one bundle; `passed` where labels are equal and no difference exceeds the tolerance."""

    tolerance: float
    probes: tuple[Probe, ...]

    @property
    def rows(self) -> int:
        return sum(probe.rows for probe in self.probes)

    @property
    def largest(self) -> float:
        return max((probe.largest for probe in self.probes), default=0.0)

    @property
    def flips(self) -> int:
        return sum(probe.flips for probe in self.probes)

    @property
    def passed(self) -> bool:
        return all(self.holds(probe) for probe in self.probes)

    def holds(self, probe: Probe) -> bool:
        return probe.flips == 0 and probe.largest <= self.tolerance

    def sentence(self) -> str:
        """What failed, in words; "" where nothing did."""
        failed = next((probe for probe in self.probes if not self.holds(probe)), None)
        if failed is None:
            return ""
        return (
            f"On {failed.name} ({failed.rows} rows) the compiled model differs by up to {failed.largest:.2g}"
            f" (allowed {self.tolerance:g}) and gives {failed.flips} other labels."
        )

    def to_json(self) -> str:
        """The report as text, with its sums for readers."""
        facts = {"rows": self.rows, "largest": self.largest, "flips": self.flips, "passed": self.passed}
        return json.dumps({**facts, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> ParityReport:
        found: dict[str, Any] = json.loads(text)
        return cls(tolerance=found["tolerance"], probes=tuple(Probe(**probe) for probe in found["probes"]))


def compare(name: str, model: Predictions, shipped: Predictions) -> Probe:
    """Both answers to the same rows.

    A difference that is not a number counts as infinite, unless both are not numbers.
    """
    rows = len(model.labels)
    if model.probabilities is None and model.labels.dtype.kind == "f" and shipped.labels.dtype.kind == "f":
        scale = np.maximum(1.0, np.abs(model.labels))
        return Probe(name=name, rows=rows, largest=_largest(model.labels / scale, shipped.labels / scale), flips=0)
    differ = model.labels != shipped.labels
    ties = np.zeros(rows, dtype=bool)
    largest = 0.0
    if model.probabilities is not None:
        if shipped.probabilities is None or shipped.probabilities.shape != model.probabilities.shape:
            return Probe(name=name, rows=rows, largest=float("inf"), flips=int(differ.sum()))
        largest = _largest(model.probabilities, shipped.probabilities)
        best = np.sort(model.probabilities, axis=1)[:, -2:]
        ties = differ & (best[:, 1] - best[:, 0] < TIE) if best.shape[1] > 1 else ties
    return Probe(name=name, rows=rows, largest=largest, flips=int((differ & ~ties).sum()), ties=int(ties.sum()))


def one_by_one(
    ask: Callable[[Mapping[str, np.ndarray]], Predictions], columns: Mapping[str, np.ndarray], whole: Predictions
) -> Probe:
    """Rows sent alone against the same rows sent together, both to what is shipped."""
    rows = min(_ONE_BY_ONE, len(whole.labels))
    singles = [ask({name: values[row : row + 1] for name, values in columns.items()}) for row in range(rows)]
    labels = np.concatenate([single.labels for single in singles]) if singles else whole.labels[:0]
    shared = whole.probabilities
    together = Predictions(labels=whole.labels[:rows], probabilities=None if shared is None else shared[:rows])
    found = [single.probabilities for single in singles if single.probabilities is not None]
    alone = Predictions(labels=labels, probabilities=np.concatenate(found) if found else None)
    return compare("rows one by one", together, alone)


# ----------------------------------------------------------------------------------------------------------------------


def _largest(first: np.ndarray, second: np.ndarray) -> float:
    if not first.size:
        return 0.0
    both = np.isnan(first) & np.isnan(second)
    difference = np.where(both | (first == second), 0.0, np.abs(first - second))
    return float(np.nan_to_num(difference, nan=np.inf).max())
