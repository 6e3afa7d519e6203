"""Promoters in every order of their store calls, killed at any of them: history, aliases and claims stay one story."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trilho import registry
from trilho.errors import PromotionContested, VersionNotFound
from trilho.registry import CHAMPION, PREVIOUS, Event, VersionStore
from trilho.registry.ledger import Ledger, read
from trilho.registry.settling import settle, version_before
from trilho.testing import Clock, InMemoryVersionStore
from unit.registry.stepped import Order, Stepped, run_all

NAME = "fraud"
VERSIONS = 6
ATTEMPTS = 4


@dataclass
class Claims:
    """What the promoters were told. `lost` are the names they used for attempts that were refused."""

    won: list[Event] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def promoter(index: int, number: int, claims: Claims, stages: bool) -> Callable[[VersionStore], None]:
    def deliver(store: VersionStore) -> None:
        for attempt in range(ATTEMPTS):
            champion = registry.champion(store, NAME, clock=Clock())
            who = f"promoter {index}, attempt {attempt}"
            before = champion.number if champion else None
            try:
                event = registry.promote(
                    store, NAME, number, before=before, who=who, why="", stages=stages, clock=Clock()
                )
            except PromotionContested:
                claims.lost.append(who)
                continue
            claims.won.append(event)
            return

    return deliver


def roller(index: int, claims: Claims) -> Callable[[VersionStore], None]:
    def back(store: VersionStore) -> None:
        who = f"roller {index}"
        try:
            claims.won.append(registry.rollback(store, NAME, who=who, why="", clock=Clock()))
        except PromotionContested:
            claims.lost.append(who)
        except VersionNotFound:
            pass

    return back


def refuser(index: int, number: int) -> Callable[[VersionStore], None]:
    return lambda store: registry.refuse(store, NAME, number, who=f"refuser {index}", why="", clock=Clock()) and None


def asker(store: VersionStore) -> None:
    registry.champion(store, NAME, clock=Clock())


def person(number: int) -> Callable[[VersionStore], None]:
    """Somebody who moves the alias in MLflow's page."""
    return lambda store: store.set_alias(NAME, CHAMPION, number)


def new_store(champion: bool) -> InMemoryVersionStore:
    store = InMemoryVersionStore(clock=Clock())
    for number in range(1, VERSIONS + 1):
        store.create(NAME, source=f"models:/m-{number}", run_id="", model_id="", tags={})
    if champion:
        for number, before in ((1, None), (2, 1)):
            registry.promote(store, NAME, number, before=before, who="somebody", why="", clock=Clock())
    return store


users = st.lists(st.sampled_from(["promote", "promote", "promote", "back", "refuse", "ask"]), min_size=2, max_size=4)
# Single calls find races between neighbours; long bursts let a rival live a whole life while another stands still.
burst = st.one_of(st.integers(1, 3), st.integers(1, 60))
peaceful = st.lists(st.tuples(st.integers(0, 3), burst, st.just("go")), max_size=30)
deadly = st.lists(
    st.tuples(st.integers(0, 3), burst, st.sampled_from(["go", "go", "go", "die before", "die after"])), max_size=30
)
thorough = settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def cast_of(kinds: list[str], claims: Claims, stages: bool) -> list[Callable[[VersionStore], None]]:
    made = []
    for index, kind in enumerate(kinds):
        number = VERSIONS - index
        tasks = {
            "promote": promoter(index, number, claims, stages),
            "back": roller(index, claims),
            "refuse": refuser(index, number),
            "ask": asker,
        }
        made.append(tasks[kind])
    return made


def check_story(store: InMemoryVersionStore, ledger: Ledger, claims: Claims) -> None:
    champion: int | None = None
    for event in ledger.history:
        if event.valid and event.kind != "refused":
            assert event.before == champion, "a move that counts starts where the one before it ended"
            champion = event.after
    assert champion == ledger.champion
    alias = store.by_alias(NAME, CHAMPION)
    assert (alias.number if alias else None) == champion, "the alias is the tail of the log"
    for event in claims.won:
        assert event.valid
        assert ledger.event(event.number) == event, "a claimed win is in the history, and counts"
    counted = {event.who for event in ledger.history if event.valid}
    assert counted.isdisjoint(claims.lost), "who was told to have lost has not won"
    previous = store.by_alias(NAME, PREVIOUS)
    assert (previous.number if previous else None) == version_before(store, NAME, ledger)


@thorough
@given(kinds=users, schedule=peaceful, champion=st.booleans(), stages=st.booleans())
def test_rivals_in_any_order_leave_one_story_with_nothing_to_repair(
    kinds: list[str], schedule: list[tuple[int, int, Order]], champion: bool, stages: bool
) -> None:
    store, claims = new_store(champion), Claims()
    rivals = [Stepped(task, store) for task in cast_of(kinds, claims, stages)]
    run_all(rivals, schedule)
    ledger = read(store.events(NAME))
    check_story(store, ledger, claims)
    assert not any(entry.writing for entry in ledger.entries)
    assert ledger.tail is None or ledger.tail.settled
    assert "adopted" not in {event.kind for event in ledger.history}
    if ledger.tail is not None and ledger.tail.event.stages:
        assert [v.number for v in store.versions(NAME) if v.stage == "Production"] == [ledger.champion]


@thorough
@given(kinds=users, schedule=deadly, champion=st.booleans(), stages=st.booleans())
def test_rivals_killed_anywhere_leave_what_the_next_one_who_asks_puts_right(
    kinds: list[str], schedule: list[tuple[int, int, Order]], champion: bool, stages: bool
) -> None:
    store, claims = new_store(champion), Claims()
    rivals = [Stepped(task, store) for task in cast_of(kinds, claims, stages)]
    run_all(rivals, schedule)
    ledger = settle(store, NAME, clock=Clock())
    check_story(store, ledger, claims)
    assert "adopted" not in {event.kind for event in ledger.history}, "a death is never taken for a person's wish"
    if ledger.tail is not None and ledger.tail.event.stages:
        assert [v.number for v in store.versions(NAME) if v.stage == "Production"] == [ledger.champion]
    late = Clock(Clock().now + 1000)
    settle(store, NAME, clock=late)
    cleared = read(store.events(NAME))
    assert not any(entry.writing for entry in cleared.entries)
    assert settle(store, NAME, clock=late) == cleared, "what was put right stays as it is"


@thorough
@given(kinds=users, schedule=deadly, moves=st.lists(st.integers(1, VERSIONS), min_size=1, max_size=2))
def test_a_person_who_moves_the_alias_meanwhile_cannot_split_log_and_alias(
    kinds: list[str], schedule: list[tuple[int, int, Order]], moves: list[int]
) -> None:
    store, claims = new_store(True), Claims()
    tasks = [*(person(number) for number in moves), *cast_of(kinds, claims, False)][:4]
    run_all([Stepped(task, store) for task in tasks], schedule)
    check_story(store, settle(store, NAME, clock=Clock()), claims)


def two_promoters() -> tuple[InMemoryVersionStore, Claims, list[Stepped]]:
    """Both judged against the champion of this moment, both about to promote."""
    store, claims = new_store(True), Claims()
    return store, claims, [Stepped(promoter(index, VERSIONS - index, claims, True), store) for index in range(2)]


def calls_of_a_promotion() -> int:
    _, _, (user, _) = two_promoters()
    calls = 0
    while not user.done:
        user.step()
        calls += 1
    return calls


def test_every_pair_of_interruptions_of_two_promoters_leaves_one_story() -> None:
    """Exhaustive where it matters most: the first stops after any call, the second after any call, both end."""
    calls = calls_of_a_promotion()
    for first in range(1, calls + 1):
        for second in range(1, 2 * calls):  # the second has to judge again, so it lives longer
            store, claims, users = two_promoters()
            run_all(users, [(0, first, "go"), (1, second, "go"), (0, calls, "go")])
            check_story(store, read(store.events(NAME)), claims)
            assert len(claims.won) == 2


def test_a_promoter_that_wakes_up_late_and_dies_cannot_undo_what_others_did_meanwhile() -> None:
    """Exhaustive: the first stops after any call, the second lives its whole life, the first does a few more calls."""
    calls = calls_of_a_promotion()
    for first in range(1, calls + 1):
        for more in range(1, 6):
            store, claims, users = two_promoters()
            run_all(users, [(0, first, "go"), (1, 10 * calls, "go"), (0, more, "die after")])
            ledger = settle(store, NAME, clock=Clock())
            check_story(store, ledger, claims)
            assert "adopted" not in {event.kind for event in ledger.history}
            assert [v.number for v in store.versions(NAME) if v.stage == "Production"] == [ledger.champion]
