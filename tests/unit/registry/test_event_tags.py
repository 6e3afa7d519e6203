"""Events as tags: nothing is lost on the way, and nothing half-readable is believed."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trilho.registry import Event
from trilho.registry.event_tags import SETTLED_TAG, WRITING_TAG, from_tags, sentence, to_tags

numbers = st.one_of(st.none(), st.integers(1, 10**6))
events = st.builds(
    Event,
    number=st.integers(1, 10**6),
    kind=st.sampled_from(["promoted", "rolled back", "refused", "adopted"]),
    before=numbers,
    after=numbers,
    who=st.text(),
    when=st.floats(0, 4e9),
    why=st.text(),
    forced=st.booleans(),
    verdicts=st.text(),
    stages=st.booleans(),
)


@given(events)
def test_an_event_survives_the_way_into_tags_and_back(event: Event) -> None:
    entry = from_tags(event.number, to_tags(event), created=1.0)
    assert entry is not None
    assert entry.event == event


names = sorted(to_tags(Event(kind="adopted", before=1, after=2, who="", when=0, why="")))


@given(st.dictionaries(st.sampled_from(names), st.text()))
def test_tags_that_anybody_wrote_never_crash_the_reader(tags: dict[str, str]) -> None:
    entry = from_tags(7, tags, created=5.0)
    assert entry is None or entry.event.number == 7


def test_marks_say_who_is_writing_and_that_the_aliases_followed() -> None:
    tags = to_tags(Event(kind="promoted", before=None, after=1, who="", when=0, why=""))
    entry = from_tags(1, {**tags, f"{WRITING_TAG}a": "12.5", f"{WRITING_TAG}b": "?", SETTLED_TAG: "true"}, created=9.0)
    assert entry is not None
    assert entry.writing == {f"{WRITING_TAG}a": 12.5, f"{WRITING_TAG}b": 9.0}
    assert entry.settled


def test_an_event_reads_as_a_sentence_in_mlflow() -> None:
    moved = Event(kind="rolled back", before=3, after=None, who="ana", when=0, why="slow")
    assert sentence("fraud", moved) == "fraud champion v3 → none, rolled back by ana: slow"
    refused = Event(kind="refused", before=None, after=4, who="ana", when=0, why="f1 fell")
    assert sentence("fraud", refused) == "fraud v4 was refused, champion stays none: f1 fell"
