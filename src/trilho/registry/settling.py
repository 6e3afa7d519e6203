"""Make the aliases say what the log says, whoever else is writing, and whoever died while writing.

Aliases are written by reading the log, writing, and reading the log again until its tail has not moved. So the last
one to write always leaves what the log says, unless it died between writing and reading. For that case each writer
leaves a mark in the log first, and says on it when it is done (to take it away would need more than EDIT on a server
with users):

- the tail is not settled, or somebody's mark is not done: an alias may lag behind, it is written again;
- all is settled, nobody is writing, and yet the alias is another: it was moved by hand, and the log is told.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from trilho.errors import PromotionContested, ServerRefused, VersionNotFound
from trilho.registry.event_tags import DONE, SETTLED_TAG, WRITING_TAG
from trilho.registry.ledger import Ledger, read
from trilho.registry.store import VersionStore
from trilho.registry.version import CHALLENGER, CHAMPION, PREVIOUS, PRODUCTION, Event
from trilho.wire import FORBIDDEN

Clock = Callable[[], float]

# A mark older than this was left by somebody who died: no request lasts that long. Once the aliases are written anew,
# it counts as done.
MARK_SECONDS = 900.0

# How often one looks again before finishing what somebody began less than FRESH_SECONDS ago: rivals that all finish
# each other's work stand in each other's way. Only speed hangs on it, so clocks that differ do no harm.
PAUSES = 20
FRESH_SECONDS = 5.0

_ROUNDS = 1000  # against a log that is rewritten by hand while we read it; rivals end by themselves


def settle(store: VersionStore, name: str, *, clock: Clock = time.time) -> Ledger:
    """Bring log and aliases together; the ledger of that moment.

    What somebody else is about to finish is left to them, for as long as they may be at it; then it is finished here.
    """
    first = ledger = observe(store, name, clock=clock)
    for _ in range(PAUSES):
        if not (_unfinished(ledger) and _is_fresh(ledger, clock())):
            break
        time.sleep(random.uniform(0.05, 0.15))
        ledger = observe(store, name, clock=clock)
        if _number_of_tail(ledger) != _number_of_tail(first):
            return ledger  # rivals are alive, and each writes the aliases after its event
    return write_aliases(store, name, clock=clock) if _unfinished(ledger) else ledger


def observe(store: VersionStore, name: str, *, clock: Clock = time.time) -> Ledger:
    """What the log says now; an alias that was moved outside trilho is taken into the log first.

    Aliases may lag behind the answer while somebody is writing, or died while writing.
    """
    for _ in range(_ROUNDS):
        ledger = read(store.events(name))
        if ledger.certain and _unfinished(ledger):
            return ledger
        alias = store.by_alias(name, CHAMPION)
        found = alias.number if alias else None
        if ledger.certain and found == ledger.champion:
            return ledger
        if read(store.events(name)) != ledger:
            continue  # somebody wrote meanwhile, so this alias and this log do not belong together
        why = "the champion was moved outside trilho" if ledger.certain else "an event before this one is gone"
        return write_aliases(store, name, clock=clock) if _adopt(store, name, ledger, found, why, clock) else Ledger()
    raise _restless(name)


def write_aliases(store: VersionStore, name: str, *, clock: Clock = time.time) -> Ledger:
    """Write what the log says into the aliases until it stands still; the ledger of that moment. Needs an event.

    Raises:
        ServerRefused: with 403, for who may not write aliases. Nothing was changed then, and no mark is left.
    """
    mark = WRITING_TAG + secrets.token_hex(4)
    ledger = read(store.events(name))
    for _ in range(_ROUNDS):
        if ledger.tail is None:
            return ledger
        number = ledger.tail.event.number
        store.tag_event(name, number, {mark: repr(clock())})
        try:
            there = _write_champion(store, name, ledger)
        except ServerRefused as error:
            if error.status == FORBIDDEN:  # so nothing was written because of this mark
                store.tag_event(name, number, {mark: DONE})
            raise
        if there:
            _write_others(store, name, ledger)
        else:
            alias = store.by_alias(name, CHAMPION)
            why = f"v{ledger.champion} does not exist any more"
            if not _adopt(store, name, ledger, alias.number if alias else None, why, clock):
                return Ledger()
        again = read(store.events(name))
        if again.tail is not None and again.tail.event.number == number:
            store.tag_event(name, number, {SETTLED_TAG: "true"})
            _end_marks(store, name, again, mark, clock() - MARK_SECONDS)
            return again
        ledger = again
    raise _restless(name)


def as_it_stands(store: VersionStore, name: str) -> int | None:
    """The champion that `settle` would come to, by looking only."""
    ledger = read(store.events(name))
    if ledger.certain and _unfinished(ledger):
        with suppress(VersionNotFound):
            return None if ledger.champion is None else store.get(name, ledger.champion).number
    alias = store.by_alias(name, CHAMPION)
    return alias.number if alias else None


def version_before(store: VersionStore, name: str, ledger: Ledger) -> int | None:
    """The champion before the present one that still exists; None if there is none."""
    for entry in reversed(ledger.trail[:-1]):
        version = entry.event.after
        if version is not None and version != ledger.champion and is_same(store, name, ledger, version):
            return version
    return None


def is_same(store: VersionStore, name: str, ledger: Ledger, number: int) -> bool:
    """Is this version there, and the one that the log means? Numbers start again where a model was deleted."""
    entry = ledger.made_champion(number)
    try:
        return entry is not None and store.get(name, number).created <= entry.created
    except VersionNotFound:
        return False


def _unfinished(ledger: Ledger) -> bool:
    if ledger.tail is None:
        return False
    return not ledger.tail.settled or any(entry.writing for entry in ledger.entries)


def _is_fresh(ledger: Ledger, now: float) -> bool:
    began = [began for entry in ledger.entries for began in entry.writing.values()]
    if ledger.tail is not None and not ledger.tail.settled:
        began.append(ledger.tail.event.when)
    return any(abs(now - moment) < FRESH_SECONDS for moment in began)


def _number_of_tail(ledger: Ledger) -> int:
    return ledger.tail.event.number if ledger.tail else 0


def _write_champion(store: VersionStore, name: str, ledger: Ledger) -> bool:
    """False where the champion is no version any more."""
    try:
        if ledger.champion is None:
            store.remove_alias(name, CHAMPION)
        else:
            store.set_alias(name, CHAMPION, ledger.champion)
    except VersionNotFound:
        return False
    return True


def _write_others(store: VersionStore, name: str, ledger: Ledger) -> None:
    if ledger.champion is not None and ledger.tail is not None and ledger.tail.event.stages:
        with suppress(VersionNotFound):  # deleted just now
            store.set_stage(name, ledger.champion, PRODUCTION)
    previous = version_before(store, name, ledger)
    if previous is None:
        with _if_allowed():
            store.remove_alias(name, PREVIOUS)
    else:
        with suppress(VersionNotFound):
            store.set_alias(name, PREVIOUS, previous)
    challenger = store.by_alias(name, CHALLENGER)
    if challenger is not None and challenger.number == ledger.champion:
        with _if_allowed():
            store.remove_alias(name, CHALLENGER)


@contextmanager
def _if_allowed() -> Iterator[None]:
    """To take an alias away needs MANAGE, a promotion only EDIT. Nothing is decided by these: the history is."""
    try:
        yield
    except ServerRefused as error:
        if error.status != FORBIDDEN:
            raise


def _end_marks(store: VersionStore, name: str, ledger: Ledger, own: str, dead_since: float) -> None:
    for entry in ledger.entries:
        done = {tag: DONE for tag, began in entry.writing.items() if tag == own or began < dead_since}
        if done:
            store.tag_event(name, entry.event.number, done)


def _adopt(store: VersionStore, name: str, ledger: Ledger, found: int | None, why: str, clock: Clock) -> bool:
    """Write into the log what the alias says. False where the model is gone, and its log is all that is left."""
    event = Event(
        kind="adopted",
        before=ledger.champion,
        after=found,
        who="outside trilho",
        when=clock(),
        why=why,
        stages=ledger.tail is not None and ledger.tail.event.stages,
    )
    try:
        store.append_event(name, event)
    except VersionNotFound:
        return False
    return True


def _restless(name: str) -> PromotionContested:
    return PromotionContested(
        f"The history of {name} did not stand still.",
        why=f"It was read {_ROUNDS} times and had changed every time.",
        remedy="Try again when fewer promotions run at the same time: trilho history",
    )
