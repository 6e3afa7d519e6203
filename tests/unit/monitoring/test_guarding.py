from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from trilho.errors import ServerUnreachable
from trilho.monitoring import Counted, Finding, Guarded, Reading, look_after
from trilho.monitoring.guarding import find
from trilho.project.file import GuardSection
from trilho.registry import Event
from trilho.registry.version import Kind
from trilho.serving.counting import SECONDS

RULE = GuardSection()  # 10 minutes, 5 %, twice as long, 50 requests
NOW = 1_000_000.0


def counted(*seconds: float, failed: int = 0, rows: int = 1) -> Counted:
    """Requests of so many rows each that took so long."""
    edges = (*SECONDS, float("inf"))
    places = np.searchsorted(SECONDS, seconds)
    buckets = {edge: int((places == place).sum()) for place, edge in enumerate(edges)}
    total = float(sum(seconds))
    return Counted(answered=len(seconds), failed=failed, rows=len(seconds) * rows, seconds=total, buckets=buckets)


def answered(count: int, seconds: float = 0.002, *, failed: int = 0, rows: int = 1) -> Counted:
    return counted(*[seconds] * count, failed=failed, rows=rows)


def judged(new: Counted, before: Counted, rule: GuardSection = RULE) -> Finding:
    return find(new, before, rule, version="v2", instead="v1")


def event(
    kind: Kind = "promoted", *, before: int | None = 1, after: int = 2, number: int = 2, when: float = NOW - 5
) -> Event:
    return Event(number=number, kind=kind, before=before, after=after, who="ana", when=when, why="")


FIRST = event(before=None, after=1, number=1, when=NOW - 9999)


def reading(in_charge: str = "2", **versions: Counted) -> Reading:
    """`v2=…` is what was counted of version 2."""
    return Reading(in_charge=in_charge, versions={name[1:]: counts for name, counts in versions.items()})


def looked(*looks: Reading, events: tuple[Event, ...] = (FIRST, event()), at: float = NOW) -> Guarded:
    """What is known after these looks, one a second."""
    known = Guarded()
    for second, look in enumerate(looks):
        known = look_after(known, look, RULE, history=lambda: events, clock=lambda moment=at + second: moment)
    return known


# Errors


@pytest.mark.parametrize(
    ("failed", "asked", "outcome"),
    [
        (2, 49, "too few"),  # one request less than it takes
        (49, 49, "too few"),
        (2, 50, "fine"),  # 4 %
        (5, 100, "fine"),  # at the limit
        (6, 100, "failing"),
        (50, 50, "failing"),
    ],
)
def test_errors_are_judged_from_enough_requests_on_and_above_the_limit(failed: int, asked: int, outcome: str) -> None:
    assert judged(answered(asked - failed, failed=failed), answered(100)).outcome == outcome


def test_version_that_fails_no_more_than_the_one_before_is_not_failing() -> None:
    before = answered(90, failed=10)
    assert judged(answered(90, failed=10), before).outcome == "fine"
    assert judged(answered(89, failed=11), before).outcome == "failing"


def test_errors_need_no_version_before_to_compare_with() -> None:
    assert judged(answered(50, failed=50), Counted()).outcome == "failing"


def test_finding_says_measured_and_allowed() -> None:
    found = judged(answered(80, failed=20), answered(200, failed=1))
    assert found.text == "20 of 100 requests failed in v2 (20.0%), 1 of 201 in v1; guard.errors allows 5.0%"
    assert judged(answered(3), answered(9)).text == "3 requests to v2 so far, guard.min_requests is 50"


# Latency


@pytest.mark.parametrize(("seconds", "outcome"), [(0.10, "fine"), (0.199, "fine"), (0.45, "slower"), (30.0, "slower")])
def test_version_that_takes_much_longer_is_slower(seconds: float, outcome: str) -> None:
    found = judged(answered(200, seconds), answered(200, 0.1))
    assert found.outcome == outcome
    if outcome == "slower":
        assert "100 ms in v1; guard.slower allows 2 times as long" in found.text


def test_limit_itself_is_approached_from_above_with_more_requests() -> None:
    """Chance is allowed for: just above the limit it takes many requests to say so."""
    assert judged(answered(60, 0.24), answered(60, 0.1)).outcome == "fine"
    assert judged(answered(20_000, 0.24), answered(20_000, 0.1)).outcome == "slower"
    assert judged(answered(20_000, 0.2), answered(20_000, 0.1)).outcome == "fine", "exactly twice is allowed"


@pytest.mark.parametrize("pause", [1.0, 9.0, 40.0])
def test_one_slow_request_of_many_condemns_nobody(pause: float) -> None:
    """Such as one that waited for the machine; above 10 s the histogram does not say how long it was."""
    assert judged(counted(*[0.002] * 99, pause), answered(100)).outcome == "fine"


@pytest.mark.parametrize("share", [0.2, 0.5])
def test_version_that_is_slow_on_some_rows_is_slower(share: float) -> None:
    slow = int(100 * share)
    assert judged(counted(*[0.002] * (100 - slow), *[0.5] * slow), answered(100)).outcome == "slower"


def test_times_too_short_to_be_noticed_are_not_slower() -> None:
    assert judged(answered(5000, 0.0009), answered(5000, 0.0001)).outcome == "fine"


def test_larger_or_smaller_requests_are_not_a_slower_model() -> None:
    assert judged(answered(500, 0.1, rows=1000), answered(500, 0.002, rows=1)).outcome == "fine"
    assert judged(answered(500, 0.002, rows=1), answered(500, 0.1, rows=1000)).outcome == "fine"


@pytest.mark.parametrize("before", [Counted(), answered(49)])
def test_version_before_that_was_hardly_asked_is_nothing_to_compare_with(before: Counted) -> None:
    found = judged(answered(500, 5.0), before)
    assert found.outcome == "fine"
    assert "v1 was asked too little" in found.text


def test_good_versions_are_left_alone_whatever_chance_does() -> None:
    """Long-tailed times from one distribution, looked at 120 times: ten minutes, every five seconds."""
    chance = np.random.default_rng(0)
    for _ in range(30):
        before = counted(*chance.lognormal(-6, 1.2, 60))
        times = chance.lognormal(-6, 1.2, 1200)
        assert not any(judged(counted(*times[: 10 * look]), before).bad for look in range(1, 121))


# Which promotions are watched


def test_fresh_promotion_is_watched_for_its_time() -> None:
    known = looked(reading("1", v1=answered(70)), reading("2", v1=answered(80)))
    assert known.promotion == event()
    assert known.until == NOW + 1 + RULE.lasts
    assert known.before.asked == 80
    assert looked(reading("2")).until == NOW - 5 + RULE.lasts, "of one that was there already, from its promotion on"


@pytest.mark.parametrize(
    "events",
    [
        (FIRST, event("rolled back")),
        (FIRST, event("adopted")),
        (event(before=None),),
        (FIRST, event(), event(after=3, before=2, number=3)),  # the server is behind
        (FIRST, event(when=NOW - 601)),
        (),
    ],
)
def test_what_is_not_watched(events: tuple[Event, ...]) -> None:
    """What was rolled back to, or moved outside trilho, has none before it, is not in charge here, or is old."""
    known = looked(reading(v2=Counted()), reading(v2=answered(0, failed=500)), events=events)
    assert known.promotion is None
    assert known.condemned is None


def test_refusals_retrainings_and_void_events_since_the_promotion_do_not_hide_it() -> None:
    later = (
        event("refused", after=3, before=2, number=3),
        event("retraining", after=0, before=2, number=4),
        replace(event("rolled back", after=1, before=7, number=5), valid=False),
    )
    assert looked(reading(), events=(FIRST, event(), *later)).promotion == event()


def test_what_is_bad_is_condemned_until_it_is_rolled_back_or_its_time_is_over() -> None:
    known = looked(reading("1", v1=answered(70)), reading("2"), reading("2", v2=answered(20, failed=40)))
    assert known.condemned == event()
    assert "40 of 60 requests failed in v2" in known.why
    assert replace(known, rollback=event("rolled back")).condemned is None
    late = look_after(known, known.reading, RULE, history=tuple, clock=lambda: known.until)
    assert late.condemned is None
    assert late.promotion is None


def test_promotion_by_hand_in_between_ends_the_watch_and_begins_its_own() -> None:
    events = [FIRST, event()]
    known = Guarded()
    for look in (reading("1"), reading("2"), reading("2", v2=answered(0, failed=49))):
        known = look_after(known, look, RULE, history=lambda: tuple(events), clock=lambda: NOW)
    events.append(event(before=2, after=3, number=3))
    known = look_after(
        known, reading("3", v2=answered(0, failed=500)), RULE, history=lambda: tuple(events), clock=lambda: NOW
    )
    assert known.promotion == events[-1]
    assert known.new == Counted()
    assert known.condemned is None


def test_history_is_asked_only_where_another_version_is_in_charge() -> None:
    asked: list[str] = []

    def history() -> tuple[Event, ...]:
        asked.append("history")
        return FIRST, event()

    known = Guarded()
    for charge in ("1", "1", "2", "2", "2", "1"):
        known = look_after(known, reading(charge), RULE, history=history, clock=lambda: NOW)
    assert len(asked) == 3


def test_history_that_does_not_answer_is_asked_again() -> None:
    def silent() -> tuple[Event, ...]:
        raise ServerUnreachable("gone", remedy="wait")

    known = looked(reading("1"))
    with pytest.raises(ServerUnreachable):
        look_after(known, reading("2"), RULE, history=silent, clock=lambda: NOW)
    found = look_after(known, reading("2"), RULE, history=lambda: (FIRST, event()), clock=lambda: NOW)
    assert found.promotion == event()


def test_server_without_a_version_yet_changes_nothing() -> None:
    known = looked(reading("1"), reading("2", v2=answered(30)))
    assert look_after(known, Reading(), RULE, history=tuple, clock=lambda: NOW) == known


# Counts since it took charge


def test_what_was_counted_of_it_before_it_took_charge_is_not_for_this_watch() -> None:
    """Promoted again, after it was rolled back for failing."""
    old = answered(10, failed=400)
    again = looked(reading("1", v2=old), reading("2", v2=old.plus(answered(60))))
    assert again.new == answered(60).plus(Counted(buckets=old.buckets), 0)
    assert again.condemned is None
    begun = looked(reading("2", v2=old), reading("2", v2=old.plus(answered(60))))  # the guard began later
    assert begun.new.failed == 0
    assert begun.new.answered == 60


def test_counts_go_on_over_a_restart_of_the_server() -> None:
    known = looked(
        reading("1", v1=answered(70)),
        reading("2", v1=answered(70), v2=answered(28, failed=2)),
        reading("2", v2=answered(5)),  # a new server, which never met v1
        reading("2", v2=answered(20, failed=1)),
        reading("2", v2=answered(21, failed=1)),
    )
    assert (known.new.answered, known.new.failed) == (49, 3)
    assert known.before.answered == 70


def test_counts_of_a_worker_that_just_died_are_not_counted_twice() -> None:
    """For a moment they are in no file."""
    looks = [answered(40, failed=2), answered(1), answered(41, failed=2)]
    known = looked(reading("1"), *[reading("2", v2=look) for look in looks])
    assert (known.new.answered, known.new.failed) == (41, 2)
