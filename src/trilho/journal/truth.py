"""Predictions beside what turned out to be true."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trilho.errors import JournalUnreadable
from trilho.journal.folder import contents
from trilho.journal.forgetting import forgotten
from trilho.journal.labelling import Label, read_lines
from trilho.journal.reading import read
from trilho.journal.rows import Rows

_CLOCKS_APART = 86_400.0  # seconds by which the clocks of two replicas may differ


@dataclass(frozen=True, kw_only=True)
class LabelledRows:
    """Rows whose truth is known.

    Args:
        rows: n of them.
        truth: Shape (n,): bool, int64 or float64 where all labels are of that type, else objects.
        times: When each truth came. Shape (n,), datetime64[us], UTC.
    """

    rows: Rows
    truth: np.ndarray
    times: np.ndarray


class Truth:
    """The labels that came since some time, by prediction id; about 300 bytes of memory each.

    Attributes:
        labels: Lines read, repeated ones too.
        repeated: Of these, how many came for an id that had one. The one with the latest time counts; of several at
            one time, the last that was written.
        damaged: Lines that could not be read: cut off by a kill.
    """

    def __init__(self) -> None:
        self.labels = self.repeated = self.damaged = 0
        self._by_id: dict[str, tuple[float, Label]] = {}
        self._met: set[str] = set()

    @property
    def unmatched(self) -> int:
        """Ids with a label that no row given to `join` so far had.

        Their predictions lie outside the window, were deleted, were not journaled, or never were.
        """
        return len(self._by_id) - len(self._met)

    def join(self, rows: Rows) -> LabelledRows:
        """Those of the rows that have a label, and their labels."""
        known = [(place, *self._by_id[name]) for place, name in enumerate(rows.ids) if name in self._by_id]
        places = np.array([place for place, _, _ in known], dtype=np.intp)
        chosen = rows.where(places)
        self._met.update(chosen.ids)
        times = (np.array([moment for _, moment, _ in known], dtype=float) * 1e6).round().astype("datetime64[us]")
        return LabelledRows(rows=chosen, truth=_typed([value for _, _, value in known]), times=times)

    def add(self, name: str, value: Label, moment: float) -> None:
        """One more line."""
        self.labels += 1
        if name in self._by_id:
            self.repeated += 1
            if moment < self._by_id[name][0]:
                return
        self._by_id[name] = (moment, value)


def read_truth(folder: Path | Sequence[Path], *, since: float = 0.0) -> Truth:
    """The labels of a journal, or of several replicas' journals together.

    Args:
        since: Labels that came before need not be read: a label comes after its prediction.

    Raises:
        JournalUnreadable: a file may not be read.
    """
    folders = [folder] if isinstance(folder, Path) else list(folder)
    truth = Truth()
    try:
        found = [contents(place) for place in folders]
        gone = set(forgotten(*found).ids.to_pylist())
        for path in (path for one in found for path in one.labels):
            with suppress(FileNotFoundError):  # it aged out since we looked
                if path.stat().st_mtime >= since - _CLOCKS_APART:
                    lines, damaged = read_lines(path)
                    truth.damaged += damaged
                    for line in lines:
                        if line.id not in gone:
                            truth.add(line.id, line.label, line.time)
    except OSError as error:
        raise JournalUnreadable(
            f"The labels in {', '.join(map(str, folders))} cannot be read: {error.strerror or error}.",
            remedy="Read them as the user who serves, or correct the permissions of the folder.",
        ) from error
    return truth


def read_labelled(
    folder: Path | Sequence[Path], *, since: float, until: float, truth: Truth | None = None, **wanted: Any
) -> Iterator[LabelledRows]:
    """The rows of a window whose truth is known by now, however late it came, some thousands at a time.

    Args:
        folder, since, until: As for `read`, which also takes what is `wanted`: columns, model, version.
        truth: From `read_truth`, for who wants to know afterwards how many labels matched no row.

    Raises:
        JournalUnreadable: the folder or a file in it may not be read.
    """
    truth = read_truth(folder, since=since) if truth is None else truth
    for rows in read(folder, since=since, until=until, **wanted):
        labelled = truth.join(rows)
        if len(labelled.truth):
            yield labelled


# ----------------------------------------------------------------------------------------------------------------------


def _typed(values: list[Label]) -> np.ndarray:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return np.array(values, dtype=bool)
    if kinds == {int}:
        return np.array(values, dtype=np.int64)
    if kinds and kinds <= {int, float}:
        return np.array(values, dtype=np.float64)
    found = np.empty(len(values), dtype=object)
    found[:] = values
    return found
