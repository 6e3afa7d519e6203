"""After a promotion: does the new version fail, or answer much slower than the one before? Pure: numbers in, words out.

    failing   more than guard.errors of its requests failed in the model, and more than of the version before
    slower    a request takes guard.slower times as long as with the version before, beyond what chance does; and a row,
              too, else it is the requests that grew or shrank; and callers could notice it (NOTICED)
    too few   less than guard.min_requests requests so far

Chance: the difference of the two means is more than DEVIATIONS standard errors away from the limit. The variance of a
mean comes from the histogram, each request taken to lie as far from the mean as its bucket allows, so that a single
slow request, or few of them, condemn nobody.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from trilho.monitoring.server_counts import Counted, Reading
from trilho.project.file import GuardSection
from trilho.registry import Event

DEVIATIONS = 3.0  # the guard looks a hundred times after each promotion
NOTICED = 0.001  # seconds a request: below that, the network takes longer


@dataclass(frozen=True, kw_only=True)
class Finding:
    """How a version does, by the requests so far."""

    outcome: Literal["too few", "fine", "failing", "slower"]
    text: str

    @property
    def bad(self) -> bool:
        return self.outcome in ("failing", "slower")


@dataclass(frozen=True, kw_only=True)
class Guarded:
    """What the guard knows between two looks.

    Args:
        reading: The last one.
        promotion: The one that is watched; None where nothing is.
        until: When that ends, seconds since 1970.
        new: Counted of the promoted version since it took charge, over restarts of the server.
        before: Counted of the version before.
        finding: How it does.
        rollback: What the guard did about it.
        shaken: The last reading was below the one before it. A worker that dies does that for a moment, a new server
            for longer.
    """

    reading: Reading = field(default_factory=Reading)
    promotion: Event | None = None
    until: float = 0.0
    new: Counted = field(default_factory=Counted)
    before: Counted = field(default_factory=Counted)
    finding: Finding | None = None
    rollback: Event | None = None
    shaken: bool = False

    @property
    def condemned(self) -> Event | None:
        """The promotion to undo."""
        bad = self.finding is not None and self.finding.bad and self.rollback is None
        return self.promotion if bad else None

    @property
    def why(self) -> str:
        return self.finding.text if self.finding is not None else ""


def look_after(
    known: Guarded,
    reading: Reading,
    rule: GuardSection,
    *,
    history: Callable[[], Sequence[Event]],
    clock: Callable[[], float] = time.time,
) -> Guarded:
    """What is known after one more look at the server.

    Another version in charge ends a watch; if it was promoted, and lately, it begins one. What was rolled back to, or
    moved outside trilho, or has none before it, is not watched.

    Args:
        history: Asked only where another version is in charge.
        clock: Seconds since 1970.
    """
    now = clock()
    if not reading.in_charge:
        return known  # a server that has just begun
    if reading.in_charge != known.reading.in_charge:
        return _taken_up(known.reading, reading, rule, now, history())
    if known.promotion is None or now >= known.until:
        return Guarded(reading=reading)
    version, before = str(known.promotion.after), str(known.promotion.before)
    last, current = known.reading.of(version), reading.of(version)
    fell = current.asked < last.asked
    if fell and not known.shaken:
        return replace(known, shaken=True)
    more = current if fell else current.plus(last, -1)
    old = max(known.before, reading.of(before), key=lambda counted: counted.asked)  # a new server never met it
    found = replace(known, reading=reading, new=known.new.plus(more), before=old, shaken=False)
    return replace(found, finding=find(found.new, old, rule, version=f"v{version}", instead=f"v{before}"))


def find(new: Counted, before: Counted, rule: GuardSection, *, version: str, instead: str) -> Finding:
    """How does `version` do beside `instead`, the one before it?"""
    if new.asked < rule.min_requests:
        asked = f"{new.asked:,} requests to {version} so far"
        return Finding(outcome="too few", text=f"{asked}, guard.min_requests is {rule.min_requests:,}")
    share, share_before = _share(new), _share(before)
    failed = f"{new.failed:,} of {new.asked:,} requests failed in {version} ({share:.1%})"
    failed_before = f"{before.failed:,} of {before.asked:,} in {instead}"
    if share > rule.errors and share > share_before:
        return Finding(outcome="failing", text=f"{failed}, {failed_before}; guard.errors allows {rule.errors:.1%}")
    if not new.answered or before.answered < rule.min_requests:
        text = f"{failed}; {instead} was asked too little to compare times with"
        return Finding(outcome="fine", text=text)
    mean, mean_before = new.seconds / new.answered, before.seconds / before.answered
    times = f"a request takes {_shown(mean)} in {version}, {_shown(mean_before)} in {instead}"
    if _slower(new, before, rule.slower):
        return Finding(outcome="slower", text=f"{times}; guard.slower allows {rule.slower:g} times as long")
    return Finding(outcome="fine", text=f"{failed}; {times}")


# ----------------------------------------------------------------------------------------------------------------------


def _taken_up(last: Reading, reading: Reading, rule: GuardSection, now: float, events: Sequence[Event]) -> Guarded:
    moves = [event for event in events if event.valid and event.kind in ("promoted", "rolled back", "adopted")]
    move = moves[-1] if moves else None
    if move is None or str(move.after) != reading.in_charge or move.kind != "promoted" or move.before is None:
        return Guarded(reading=reading)
    # Seen to take charge, it did so just now, however long a server was down; else when it was promoted.
    until = (now if last.in_charge else move.when) + rule.lasts
    if now >= until:
        return Guarded(reading=reading)
    # What it was asked before it took charge, the last time it was champion, is not for this watch.
    begun = last.of(reading.in_charge) if last.in_charge else reading.of(reading.in_charge)
    start = Guarded(
        reading=replace(reading, versions={**reading.versions, reading.in_charge: begun}),
        promotion=move,
        until=until,
        before=max(last.of(str(move.before)), reading.of(str(move.before)), key=lambda counted: counted.asked),
    )
    return look_after(start, reading, rule, history=lambda: events, clock=lambda: now)


def _slower(new: Counted, before: Counted, limit: float) -> bool:
    (mean, spread), (mean_before, spread_before) = _mean(new), _mean(before)
    beyond = mean - limit * mean_before
    if beyond <= DEVIATIONS * math.hypot(spread, limit * spread_before) or mean - mean_before <= NOTICED:
        return False
    return new.seconds / max(new.rows, 1) > limit * before.seconds / max(before.rows, 1)


def _mean(counted: Counted) -> tuple[float, float]:
    """Seconds a request, and at most the standard error of that: the histogram says between which edges each lies.

    What took longer than the last finite edge counts as that long: one of them may have taken all that is in the sum.
    """
    edges = sorted(counted.buckets)
    spans = [(low, high, counted.buckets[high]) for low, high in zip([0.0, *edges], edges, strict=False)]
    endless = any(count and math.isinf(high) for _, high, count in spans)
    total = sum(low * count for low, _, count in spans) if endless else counted.seconds
    mean = total / counted.answered
    squares = sum(count * max(abs(mean - low), _last(high, low) - mean) ** 2 for low, high, count in spans)
    return mean, math.sqrt(squares) / counted.answered


def _last(high: float, low: float) -> float:
    return high if math.isfinite(high) else low


def _share(counted: Counted) -> float:
    return counted.failed / counted.asked if counted.asked else 0.0


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.3g} ms"
