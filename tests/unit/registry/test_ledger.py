"""Reading the log: which events count, who is champion, where one could go back to."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trilho.registry import Entry, Event
from trilho.registry.ledger import read
from trilho.registry.version import Kind


def entry(number: int, before: int | None, after: int | None, kind: Kind = "promoted", settled: bool = False) -> Entry:
    event = Event(number=number, kind=kind, before=before, after=after, who="", when=0.0, why="")
    return Entry(event=event, settled=settled)


def valid(*entries: Entry) -> list[bool]:
    return [event.valid for event in read(entries).history]


def test_an_empty_log_has_no_champion() -> None:
    ledger = read(())
    assert (ledger.champion, ledger.tail, ledger.trail, ledger.certain) == (None, None, (), True)


def test_of_two_who_start_from_the_same_champion_the_first_counts() -> None:
    log = (entry(1, None, 1), entry(2, 1, 2), entry(3, 1, 3))
    assert valid(*log) == [True, True, False]
    assert read(log).champion == 2


def test_a_settled_mark_does_not_make_a_void_event_count() -> None:
    assert valid(entry(1, None, 1), entry(2, None, 2, settled=True)) == [True, False]


def test_going_back_leaves_out_what_one_went_back_from() -> None:
    log = (entry(1, None, 1), entry(2, 1, 2), entry(3, 2, 3), entry(4, 3, 2, "rolled back"))
    assert [each.event.after for each in read(log).trail] == [1, 2]


def test_promoting_an_earlier_champion_again_keeps_the_one_between() -> None:
    log = (entry(1, None, 1), entry(2, 1, 2), entry(3, 2, 1))
    assert [each.event.after for each in read(log).trail] == [1, 2, 1]


def test_challenger_is_the_last_refused_until_promoted() -> None:
    log = [entry(1, None, 1), entry(2, 1, 2, "refused"), entry(3, 1, 3, "refused")]
    assert read(log).challenger == 3
    assert read([*log, entry(4, 1, 3)]).challenger is None
    assert read([*log, entry(4, 1, 4)]).challenger == 3


def test_after_a_gap_only_settled_and_adopted_events_are_believed() -> None:
    after_gap = (entry(1, None, 1), entry(3, 1, 3))
    assert valid(*after_gap) == [True, False]
    assert not read(after_gap).certain
    assert valid(entry(1, None, 1), entry(3, 2, 3, settled=True)) == [True, True]
    assert valid(entry(1, None, 1), entry(3, 9, 2, "adopted")) == [True, True]
    assert valid(entry(1, None, 1), entry(3, 2, 3, settled=True), entry(4, 3, 4)) == [True, True, True]


def test_a_log_whose_beginning_was_deleted_goes_on_from_its_first_settled_event() -> None:
    ledger = read((entry(90, 4, 5, settled=True), entry(91, 5, 6)))
    assert (ledger.champion, ledger.certain) == (6, True)


def test_made_champion_is_the_last_entry_that_did() -> None:
    log = (entry(1, None, 1), entry(2, 1, 2), entry(3, 2, 1, "rolled back"), entry(4, 7, 2))
    found = read(log).made_champion(1)
    assert found is not None
    assert found.event.number == 3
    assert read(log).made_champion(3) is None


versions = st.one_of(st.none(), st.integers(1, 4))
kinds = st.sampled_from(["promoted", "rolled back", "refused", "adopted"])
logs = st.lists(st.tuples(kinds, versions, versions, st.booleans(), st.booleans()), max_size=25).map(
    lambda rows: [
        entry(number, before, after, kind, settled)
        for number, (kind, before, after, settled, kept) in enumerate(rows, 1)
        if kept
    ]
)


@given(logs)
def test_what_was_read_once_never_changes_when_the_log_grows(log: list[Entry]) -> None:
    whole = read(log)
    for end in range(len(log)):
        assert read(log[:end]).entries == whole.entries[:end]


@given(logs)
def test_the_champion_is_the_end_of_the_trail_and_every_part_of_it_counted(log: list[Entry]) -> None:
    ledger = read(log)
    counted = [each for each in ledger.entries if each.event.valid and each.event.kind != "refused"]
    assert ledger.champion == (counted[-1].event.after if counted else None)
    assert all(each in counted for each in ledger.trail)
    assert [each.event.number for each in ledger.trail] == sorted({each.event.number for each in ledger.trail})
