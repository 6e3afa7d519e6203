"""The rows of a window, counted as the drift profile of their version counts, some thousands at a time.

What `bundle.count` would give, for less: numbers are sorted a batch at a time and the edges looked up in them, instead
of each number among the edges; categories are counted as they are, and only different ones looked at. A window of any
length takes the memory of one batch and of the counts. Counts add up: those of replicas, of files, of slices of time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import numpy as np

from trilho.bundle import CategoryCounts, Field, NumberCounts, Schema
from trilho.bundle.columns import canonical, words
from trilho.bundle.describing import seconds
from trilho.bundle.drift_profile import PREDICTION

Counts = NumberCounts | CategoryCounts

_BLOCK = 256  # values sorted at once: so many are sorted without branches, nearly for nothing


class Tally:
    """Rows of one column in each slice of a window.

    Attributes:
        rows: Shape (slices, width): the bins of the reference in their order, then atoms (numbers) or rows of no known
            category (categories), then rows without a value.
    """

    def __init__(self, reference: Counts, slices: int, field: Field | None = None) -> None:
        self.reference = reference
        self._field = field
        if isinstance(reference, NumberCounts):
            self._edges_and_all, self._atoms = np.array([*reference.edges, np.inf]), np.array(reference.atoms)
            self.bins = len(reference.edges) + 1
            width = self.bins + len(reference.atoms) + 1
        else:
            self._places = {value: place for place, value in enumerate(reference.values)}
            self.bins = len(reference.values) + 1
            width = self.bins + 1
        self.rows = np.zeros((slices, width), dtype=np.int64)

    def add(self, part: int, values: np.ndarray) -> None:
        """Count values, as the journal gives them, in slice `part`. Raises CannotPredict: they are of another kind."""
        if isinstance(self.reference, NumberCounts):
            self.rows[part] += self._numbers(self._as_numbers(values))
        else:
            self.rows[part] += self._categories(values)

    def counts(self, slices: int | None = None) -> Counts:
        """Of the whole window, or of its first slices."""
        found: list[int] = self.rows[:slices].sum(axis=0).tolist()
        reference, bins = self.reference, self.bins
        if isinstance(reference, NumberCounts):
            return NumberCounts(
                name=reference.name,
                edges=reference.edges,
                counts=tuple(found[:bins]),
                atoms=reference.atoms,
                atom_counts=tuple(found[bins:-1]),
                missing=found[-1],
            )
        return CategoryCounts(
            name=reference.name,
            values=reference.values,
            counts=tuple(found[: bins - 1]),
            other=found[bins - 1],
            missing=found[-1],
        )

    def _as_numbers(self, values: np.ndarray) -> np.ndarray:
        field = self._field
        if field is not None and field.kind == "text":
            return np.array([np.nan if value is None else float(len(value)) for value in values], dtype=np.float64)
        if field is not None and field.kind == "time":
            return seconds(values)
        if values.dtype == np.float64:
            return values
        return canonical(field, values) if field is not None else values.astype(np.float64)

    def _numbers(self, values: np.ndarray) -> np.ndarray:
        up_to = np.zeros(
            len(self._edges_and_all), dtype=np.int64
        )  # rows up to each edge, and up to infinity: NaN is last
        atoms = np.zeros(len(self._atoms), dtype=np.int64)
        for block in _sorted_blocks(values):
            up_to += block.searchsorted(self._edges_and_all, side="right")
            if len(atoms):
                atoms += block.searchsorted(self._atoms, side="right") - block.searchsorted(self._atoms, side="left")
        bins = np.diff(up_to, prepend=0)
        return np.concatenate([bins, atoms, [len(values) - up_to[-1]]])

    def _categories(self, values: np.ndarray) -> np.ndarray:
        counted = np.zeros(self.rows.shape[1], dtype=np.int64)
        for value, count in self._different(values):
            place = -1 if value is None else self._places.get(value, self.bins - 1)
            counted[place] += count
        return counted

    def _different(self, values: np.ndarray) -> list[tuple[str | None, int]]:
        field = self._field
        if field is None:  # labels: of any type, as the profile words them
            return [(str(label), count) for label, count in Counter(values.tolist()).items()]
        if values.dtype == object:
            found = Counter(values.tolist())
            if all(type(value) is str or value is None for value in found):
                return list(found.items())
        given = canonical(field, values)
        if given.dtype != np.float64:
            return list(Counter(given.tolist()).items())
        different, counts = np.unique(given, return_counts=True)  # NaN once
        return list(zip(words(field, different).tolist(), counts.tolist(), strict=True))


def answers_of(labels: np.ndarray, probabilities: np.ndarray | None, schema: Schema) -> Mapping[str, np.ndarray | None]:
    """What is counted of the answers: "prediction", and "score" for a classifier that gives probabilities.

    The score is the positive label's probability, or the greatest one of several.
    """
    score = None
    if probabilities is not None and schema.labels and probabilities.shape[1] == len(schema.labels):
        if len(schema.labels) == 2:
            score = probabilities[:, schema.labels.index(schema.positive) if schema.positive in schema.labels else 1]
        else:
            score = probabilities.max(axis=1)
    return {PREDICTION: labels, "score": score}


# ----------------------------------------------------------------------------------------------------------------------


def _sorted_blocks(values: np.ndarray) -> np.ndarray:
    """The values in sorted rows of `_BLOCK`, the last one filled up with NaN. Shape (blocks, _BLOCK)."""
    blocks = np.full((-(-len(values) // _BLOCK), _BLOCK), np.nan)
    blocks.ravel()[: len(values)] = values
    blocks.sort(axis=1)
    return blocks
