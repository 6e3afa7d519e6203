"""Finishing what somebody began who died, and leaving alone what somebody is about to finish."""

from __future__ import annotations

import pytest

from trilho import registry
from trilho.errors import ServerUnreachable
from trilho.registry import CHAMPION, PREVIOUS, Event, VersionStore, settling
from trilho.registry.event_tags import WRITING_TAG
from trilho.registry.ledger import read
from trilho.registry.settling import MARK_SECONDS, settle
from trilho.testing import Clock, InMemoryVersionStore
from unit.registry.stepped import Stepped

NAME = "fraud"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> InMemoryVersionStore:
    store = InMemoryVersionStore(clock=clock)
    for number in (1, 2, 3):
        store.create(NAME, source=f"models:/m-{number}", run_id="", model_id="", tags={})
    registry.promote(store, NAME, 1, before=None, who="ana", why="", clock=clock)
    return store


def alias(store: VersionStore, name: str) -> int | None:
    found = store.by_alias(NAME, name)
    return found.number if found else None


def promotion_in_steps(store: InMemoryVersionStore, clock: Clock) -> Stepped:
    return Stepped(lambda seen: registry.promote(seen, NAME, 2, before=1, who="bo", why="", clock=clock), store)


def killed_after_its_event(store: InMemoryVersionStore, clock: Clock) -> None:
    promoter = promotion_in_steps(store, clock)
    while len(store.events(NAME)) == 1:
        promoter.step()
    promoter.step("die before")
    assert alias(store, CHAMPION) == 1


def test_the_next_one_who_asks_finishes_a_killed_promotion(store: InMemoryVersionStore, clock: Clock) -> None:
    killed_after_its_event(store, clock)
    champion = registry.champion(store, NAME, clock=clock)
    assert champion is not None
    assert champion.number == 2
    assert (alias(store, CHAMPION), alias(store, PREVIOUS)) == (2, 1)


def test_trying_a_killed_promotion_again_finishes_it_once(store: InMemoryVersionStore, clock: Clock) -> None:
    killed_after_its_event(store, clock)
    event = registry.promote(store, NAME, 2, before=1, who="bo", why="", clock=clock)
    assert event.number == 2
    assert len(registry.history(store, NAME)) == 2
    assert alias(store, CHAMPION) == 2


def test_looking_changes_nothing(store: InMemoryVersionStore, clock: Clock) -> None:
    killed_after_its_event(store, clock)
    before = store.events(NAME)
    registry.history(store, NAME)
    registry.resolve(store, f"models:/{NAME}@champion")
    assert store.events(NAME) == before
    assert alias(store, CHAMPION) == 1


def test_a_promoted_version_that_was_deleted_before_the_aliases_followed_leaves_the_old_champion(
    store: InMemoryVersionStore, clock: Clock
) -> None:
    killed_after_its_event(store, clock)
    store.delete_version(NAME, 2)
    champion = registry.champion(store, NAME, clock=clock)
    assert champion is not None
    assert champion.number == 1
    last = registry.history(store, NAME)[-1]
    assert (last.kind, last.before, last.after, last.why) == ("adopted", 2, 1, "v2 does not exist any more")


def test_a_model_deleted_before_the_aliases_followed_has_no_champion(store: InMemoryVersionStore, clock: Clock) -> None:
    killed_after_its_event(store, clock)
    store.delete_model(NAME)
    assert registry.champion(store, NAME, clock=clock) is None


def test_the_mark_of_the_dead_is_kept_while_it_may_still_write_and_cleared_later(
    store: InMemoryVersionStore, clock: Clock
) -> None:
    store.tag_event(NAME, 1, {f"{WRITING_TAG}dead": repr(clock())})
    settle(store, NAME, clock=clock)
    assert [list(entry.writing) for entry in store.events(NAME)] == [[f"{WRITING_TAG}dead"]]
    clock.advance(MARK_SECONDS + 1)
    settle(store, NAME, clock=clock)
    assert [list(entry.writing) for entry in store.events(NAME)] == [[]]


def test_once_the_dead_is_cleared_away_an_alias_moved_by_hand_is_a_wish_again(
    store: InMemoryVersionStore, clock: Clock
) -> None:
    registry.promote(store, NAME, 2, before=1, who="bo", why="", clock=clock)
    store.tag_event(NAME, 1, {f"{WRITING_TAG}dead": repr(clock())})
    store.set_alias(NAME, CHAMPION, 1)  # a late write of the dead, as far as anybody can tell
    assert settle(store, NAME, clock=clock).champion == 2
    clock.advance(MARK_SECONDS + 1)
    settle(store, NAME, clock=clock)
    store.set_alias(NAME, CHAMPION, 1)
    assert settle(store, NAME, clock=clock).champion == 1
    assert registry.history(store, NAME)[-1].kind == "adopted"


def test_who_asks_waits_a_little_for_a_rival_that_is_about_to_finish(
    store: InMemoryVersionStore, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    rival = promotion_in_steps(store, clock)
    while len(store.events(NAME)) == 1:
        rival.step()

    def let_the_rival_go_on(_: float) -> None:
        while not rival.done:
            rival.step()

    monkeypatch.setattr(settling, "PAUSES", 1)
    monkeypatch.setattr(settling.time, "sleep", let_the_rival_go_on)
    assert settle(store, NAME, clock=clock).champion == 2
    assert isinstance(rival.result, Event)
    assert read(store.events(NAME)).entries[-1].settled


def test_a_promotion_whose_server_goes_away_says_what_is_not_known(store: InMemoryVersionStore, clock: Clock) -> None:
    class GoneAfterTheEvent:
        def __getattr__(self, method: str) -> object:
            return self.gone if method == "tag_event" else getattr(store, method)

        def gone(self, *_: object) -> None:
            raise ServerUnreachable("The tracking server does not answer.", remedy="trilho up")

    with pytest.raises(ServerUnreachable, match="It is not known whether fraud v2 is champion"):
        registry.promote(GoneAfterTheEvent(), NAME, 2, before=1, who="bo", why="", clock=clock)  # type: ignore[arg-type]
    champion = registry.champion(store, NAME, clock=clock)
    assert champion is not None
    assert champion.number == 2
