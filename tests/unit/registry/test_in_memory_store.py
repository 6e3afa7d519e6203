"""The store in memory keeps the contract of MLflow's (tests/integration/test_registry_store.py runs it on that)."""

from __future__ import annotations

import threading

import pytest

from trilho.testing import Clock, InMemoryVersionStore
from unit.registry.claim_contract import ClaimContract
from unit.registry.promotion_contract import PromotionContract
from unit.registry.registering import register
from unit.registry.store_contract import VersionStoreContract


class TestInMemoryVersionStore(VersionStoreContract, PromotionContract, ClaimContract):
    @pytest.fixture
    def store(self) -> InMemoryVersionStore:
        clock = Clock()
        self.clock = clock
        return InMemoryVersionStore(clock=clock)

    def delete_version(self, store: InMemoryVersionStore, name: str, number: int) -> None:
        store.delete_version(name, number)

    def delete_model(self, store: InMemoryVersionStore, name: str) -> None:
        store.delete_model(name)
        self.clock.advance(1)

    def test_a_clock_stands_until_it_is_moved(self) -> None:
        clock = Clock(5.0)
        clock.advance(2.5)
        assert (clock(), clock()) == (7.5, 7.5)

    def test_threads_may_share_it(self, store: InMemoryVersionStore, name: str) -> None:
        threads = [threading.Thread(target=register, args=(store, name, 50)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [version.number for version in store.versions(name)] == list(range(200, 0, -1))
