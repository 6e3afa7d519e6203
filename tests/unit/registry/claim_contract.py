"""What claims to retrain do on every VersionStore."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from trilho import registry
from trilho.errors import VersionNotFound
from trilho.registry import Claim, VersionStore
from trilho.testing import Clock
from unit.registry.registering import kinds, number_of, promote, register


class ClaimContract:
    def claimed(self, store: VersionStore, name: str, after: Claim | None = None, **more: Any) -> Claim | None:
        return registry.claim(store, name, after=after, champion=1, **{"who": "ana", "why": "drift", **more})

    def test_first_claim_counts_and_says_who_and_why(self, store: VersionStore, name: str) -> None:
        register(store, name)
        promote(store, name, 1)
        assert registry.last_claim(store, name) is None
        mine = self.claimed(store, name, clock=Clock(50.0))
        assert mine is not None
        assert mine == registry.last_claim(store, name)
        assert (mine.who, mine.why, mine.began, mine.alive, mine.ended) == ("ana", "drift", 50.0, 50.0, False)
        assert (mine.first, mine.holders) == (mine.number, 1)

    def test_of_two_claims_on_the_same_state_the_first_counts(self, store: VersionStore, name: str) -> None:
        register(store, name)
        promote(store, name, 1)
        mine, theirs = self.claimed(store, name), self.claimed(store, name, who="ben")
        assert mine is not None
        assert theirs is None
        assert registry.claims(store, name) == (mine,)
        assert [event.valid for event in registry.history(store, name)] == [True, True, False]

    def test_claim_moves_no_champion_and_no_way_back(self, store: VersionStore, name: str) -> None:
        register(store, name, 2)
        promote(store, name, 1)
        self.claimed(store, name)
        assert number_of(registry.champion(store, name)) == 1
        promote(store, name, 2)
        assert number_of(registry.champion(store, name)) == 2
        assert registry.rollback(store, name, who="ana", why="worse").after == 1
        assert kinds(store, name) == ["promoted", "retraining", "promoted", "rolled back"]

    def test_end_is_told_once_by_who_holds_it(self, store: VersionStore, name: str) -> None:
        register(store, name)
        promote(store, name, 1)
        mine = self.claimed(store, name)
        assert mine is not None
        assert registry.end_claim(store, name, mine, "failed", "no memory")
        last = registry.last_claim(store, name)
        assert last is not None
        assert (last.outcome, last.ended, last.fruitless) == ("failed: no memory", True, True)
        assert not registry.end_claim(store, name, mine, "promoted", "v2")

    def test_who_takes_over_goes_on_with_the_work_of_the_first(self, store: VersionStore, name: str) -> None:
        register(store, name)
        promote(store, name, 1)
        first = self.claimed(store, name, clock=Clock(100.0))
        second = self.claimed(store, name, first, resume=True, who="ben", clock=Clock(900.0))
        assert first is not None
        assert second is not None
        assert (second.first, second.began, second.alive, second.holders) == (first.number, 100.0, 900.0, 2)
        assert not registry.end_claim(store, name, first, "promoted", "v2"), "it is the other's to tell"
        third = self.claimed(store, name, second, resume=True)
        assert third is not None
        assert (third.first, third.began, third.holders) == (first.number, 100.0, 3)

    def test_next_retraining_begins_anew(self, store: VersionStore, name: str) -> None:
        register(store, name)
        promote(store, name, 1)
        first = self.claimed(store, name)
        assert first is not None
        registry.end_claim(store, name, first, "promoted", "v2")
        ended = registry.last_claim(store, name)
        second = self.claimed(store, name, ended, clock=Clock(500.0))
        assert second is not None
        assert (second.first, second.began, second.holders) == (second.number, 500.0, 1)

    def test_sign_of_life_shows_and_stops_with_the_work(self, store: VersionStore, name: str) -> None:
        register(store, name)
        promote(store, name, 1)
        mine = self.claimed(store, name, clock=Clock(1.0))
        assert mine is not None
        heard = threading.Event()

        def later() -> float:
            heard.set()
            return 77.0

        @contextmanager
        def opened() -> Iterator[VersionStore]:
            yield store

        with registry.kept_alive(opened, name, mine, seconds=0.05, clock=later):
            assert heard.wait(60)
        last = registry.last_claim(store, name)
        assert last is not None
        assert last.alive == 77.0
        assert not [thread for thread in threading.enumerate() if thread.name == "trilho-retraining"]

    def test_claim_without_a_model_is_refused(self, store: VersionStore, name: str) -> None:
        with pytest.raises(VersionNotFound):
            registry.claim(store, name, after=None, champion=None, why="drift")
