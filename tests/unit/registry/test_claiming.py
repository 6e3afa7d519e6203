"""Several who want to retrain, in every order of their store calls, killed at any of them."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trilho import registry
from trilho.registry import Claim, VersionStore
from trilho.testing import Clock, InMemoryVersionStore
from unit.registry.registering import promote, register
from unit.registry.stepped import Order, Stepped, run_all
from unit.registry.test_ledger import entry, valid

NAME = "fraud"


def worker(index: int, won: dict[int, list[Claim]], ends: bool) -> Callable[[VersionStore], None]:
    """Claims what nobody is at, or goes on with what somebody is at: nobody waits here, which is the harder case."""

    def work(store: VersionStore) -> None:
        for _ in range(3):
            last = registry.last_claim(store, NAME)
            resume = last is not None and not last.ended
            held = registry.claim(
                store, NAME, after=last, champion=1, who=str(index), why="drift", resume=resume, clock=Clock()
            )
            if held is not None:
                won.setdefault(index, []).append(held)
                if ends:
                    registry.end_claim(store, NAME, held, "promoted", "v2")

    return work


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.booleans(), min_size=2, max_size=4),
    st.lists(
        st.tuples(st.integers(0, 3), st.integers(1, 6), st.sampled_from(["go", "go", "die before", "die after"])),
        max_size=12,
    ),
)
def test_of_rivals_each_claim_has_one_winner_and_everybody_knows_it(
    workers: list[bool], schedule: list[tuple[int, int, Order]]
) -> None:
    store = InMemoryVersionStore()
    register(store, NAME)
    promote(store, NAME, 1)
    won: dict[int, list[Claim]] = {}
    run_all([Stepped(worker(index, won, ends), store) for index, ends in enumerate(workers)], schedule)
    log = [event for event in registry.history(store, NAME) if event.kind == "retraining"]
    counted = [event for event in log if event.valid]
    assert [event.follows for event in counted] == [0, *(event.number for event in counted)][: len(counted)]
    told = {held.number for claims in won.values() for held in claims}
    assert told <= {event.number for event in counted}
    assert len(told) == sum(map(len, won.values()))
    ended = [event.number for event in log if event.outcome]
    assert set(ended) <= told, "only who holds a claim ends it"
    assert registry.champion(store, NAME).number == 1  # type: ignore[union-attr]


def test_claim_after_one_whose_line_is_gone_counts() -> None:
    from dataclasses import replace

    def claim(number: int, follows: int) -> registry.Entry:
        made = entry(number, 1, None, "retraining")
        return replace(made, event=replace(made.event, follows=follows))

    log = [entry(1, None, 1), claim(2, 0), claim(4, 3), claim(5, 2), claim(6, 4)]
    assert valid(*log) == [True, True, True, False, True]
