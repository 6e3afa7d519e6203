"""The log of a model, read: which events count, who is champion, and where one could go back to.

Two promoters can write at the same time, since MLflow has no "set the alias if it still is …". But the log gives its
lines numbers, one after the other, so everybody who reads it comes to the same conclusion: an event counts if its
`before` is the champion that the events above it lead to; all others are void.

A line that was deleted leaves a gap in the numbers. Nobody knows what it said, so below a gap an event counts only if
it says of itself that the aliases followed it (settled), or if it states what the alias was (adopted).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from trilho.registry.store import Entry
from trilho.registry.version import Event

_STILL = ("refused", "retraining")  # events that move no champion


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """What the log says.

    Args:
        entries: The whole log, oldest first, each event with its `valid`.
        trail: The entries that made the champions one would go back through, the present champion's last.
        challenger: The version refused last, unless it became champion later.
        certain: False below a gap, until an event that counts.
        claim: The last retraining that counts: at work, or ended.
    """

    entries: tuple[Entry, ...] = ()
    trail: tuple[Entry, ...] = ()
    challenger: int | None = None
    certain: bool = True
    claim: Entry | None = None

    @property
    def tail(self) -> Entry | None:
        """The entry that made the champion champion."""
        return self.trail[-1] if self.trail else None

    @property
    def champion(self) -> int | None:
        return self.trail[-1].event.after if self.trail else None

    @property
    def history(self) -> tuple[Event, ...]:
        return tuple(entry.event for entry in self.entries)

    def event(self, number: int) -> Event | None:
        return next((event for event in self.history if event.number == number), None)

    def made_champion(self, version: int) -> Entry | None:
        """The entry that last made this version champion."""
        moves = (entry for entry in self.entries if entry.event.kind not in _STILL and entry.event.valid)
        return next((entry for entry in reversed(tuple(moves)) if entry.event.after == version), None)


def read(entries: Iterable[Entry]) -> Ledger:
    """Fold the log, oldest entry first."""
    read_so_far: list[Entry] = []
    trail: list[Entry] = []
    challenger: int | None = None
    claim: Entry | None = None
    certain, expected = True, 1
    for entry in entries:
        event = entry.event
        certain = certain and event.number == expected
        expected = event.number + 1
        if event.kind == "refused":
            read_so_far.append(entry)
            challenger = event.after
            continue
        if event.kind == "retraining":
            # A claim is made on what its writer read: another one since then, and it counts for nothing. (A greater
            # number is that of a claim whose line is gone.)
            fits = event.follows >= (claim.event.number if claim else 0)
            read_so_far.append(replace(entry, event=replace(event, valid=fits)))
            claim = read_so_far[-1] if fits else claim
            continue
        champion = trail[-1].event.after if trail else None
        counts = event.before == champion if certain else entry.settled or event.kind == "adopted"
        counted = replace(entry, event=replace(event, valid=counts))
        read_so_far.append(counted)
        if counts:
            certain = True
            if event.kind != "promoted":
                _go_back(trail, event.after)
            trail.append(counted)
            challenger = None if challenger == event.after else challenger
    return Ledger(entries=tuple(read_so_far), trail=tuple(trail), challenger=challenger, certain=certain, claim=claim)


def _go_back(trail: list[Entry], version: int | None) -> None:
    """Leave out of the trail what one went back from. A version that is not on it leaves it as it is."""
    for place in reversed(range(len(trail))):
        if trail[place].event.after == version:
            del trail[place:]
            return
