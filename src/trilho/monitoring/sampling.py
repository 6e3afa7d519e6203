"""A few of a version's rows, drawn by chance while all of them pass on to somebody else.

What is asked of whole rows cannot be asked of counts; a few thousand rows are enough for it, however long the window.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from trilho.journal import Rows

MOST = 5000


class Sample:
    """At most `most` rows of one version, each with the same chance: those with the least of the numbers drawn.

    Attributes:
        seen: Rows of the version that passed.
    """

    def __init__(self, model: str, version: str, *, most: int = MOST, seed: int = 0) -> None:
        self.seen = 0
        self._model, self._version, self._most = model, version, most
        self._dice = np.random.default_rng(seed)
        self._limit = 1.0  # numbers above it are not among the least any more
        self._kept: list[tuple[np.ndarray, Rows]] = []

    def passing(self, parts: Iterable[Rows]) -> Iterator[Rows]:
        """The same rows."""
        for part in parts:
            self.add(part)
            yield part

    def add(self, part: Rows) -> None:
        """Draw from some rows; those of other versions are left out."""
        mine = np.flatnonzero((part.models == self._model) & (part.versions == self._version))
        self.seen += len(mine)
        drawn = self._dice.random(len(mine))
        chosen = drawn <= self._limit  # of a long window few, and only these are copied
        if chosen.any():
            self._kept.append((drawn[chosen], part.where(mine[chosen])))
            self._thin()

    def parts(self) -> tuple[Rows, ...]:
        """The rows that were drawn, as they came: parts may differ in their columns."""
        return tuple(rows for _, rows in self._kept)

    def _thin(self) -> None:
        sizes = sum(len(drawn) for drawn, _ in self._kept)
        if sizes <= self._most:
            return
        everything = np.concatenate([drawn for drawn, _ in self._kept])
        self._limit = float(np.partition(everything, self._most - 1)[self._most - 1])
        fewer = ((drawn, rows, drawn <= self._limit) for drawn, rows in self._kept)
        self._kept = [
            (drawn[stay], rows if stay.all() else rows.where(stay)) for drawn, rows, stay in fewer if stay.any()
        ]
