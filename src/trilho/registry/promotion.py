"""Move the champion, refuse a version, go back: each is an event in the log first, and aliases after that."""

from __future__ import annotations

import time

from trilho.errors import PromotionContested, PromotionRefused, ServerRefused, ServerUnreachable, VersionNotFound
from trilho.registry.ledger import Ledger, read
from trilho.registry.settling import Clock, is_same, observe, settle, version_before, write_aliases
from trilho.registry.store import VersionStore
from trilho.registry.version import CHALLENGER, Event
from trilho.wire import FORBIDDEN, NOT_KNOWN


def promote(
    store: VersionStore,
    name: str,
    number: int,
    *,
    before: int | None,
    who: str,
    why: str,
    verdicts_json: str = "[]",
    forced: bool = False,
    stages: bool = False,
    clock: Clock = time.time,
) -> Event:
    """Make version `number` champion, if `before`, which it was judged against, still is.

    Args:
        before: The champion that the verdicts speak of; None where there was none.
        verdicts_json: What the gates said, a JSON list.
        forced: Promoted whatever the gates said.
        stages: Give it MLflow's old stage Production, too, so that models:/NAME/Production goes on working.
        clock: Seconds since 1970.

    Returns:
        The event in the history. Once this returns, the promotion happened, whatever becomes of it later. If the
        version is champion already, nothing is done, and the event is the one that made it champion.

    Raises:
        VersionNotFound: no such version.
        PromotionContested: somebody else was promoted meanwhile. Judge against that one and try again.
    """
    store.get(name, number)
    ledger = observe(store, name, clock=clock)
    if ledger.champion == number:
        ledger = settle(store, name, clock=clock)  # perhaps it was promoted by somebody who died before the aliases
        if ledger.tail is not None and ledger.champion == number:
            return ledger.tail.event
    if ledger.champion != before:
        raise _contested(name, f"v{number} was judged against {_worded(before)}", ledger, f"trilho promote {number}")
    event = Event(
        kind="promoted",
        before=before,
        after=number,
        who=who,
        when=clock(),
        why=why,
        forced=forced,
        verdicts=verdicts_json,
        stages=stages,
    )
    return _carry_out(store, name, event, f"trilho promote {number}", clock)


def refuse(
    store: VersionStore,
    name: str,
    number: int,
    *,
    who: str,
    why: str,
    verdicts_json: str = "[]",
    clock: Clock = time.time,
) -> Event:
    """Keep the champion: write into the history that version `number` was refused, and make it @challenger.

    Raises:
        VersionNotFound: no such version.
    """
    store.get(name, number)
    champion = observe(store, name, clock=clock).champion
    event = Event(kind="refused", before=champion, after=number, who=who, when=clock(), why=why, verdicts=verdicts_json)
    own = store.append_event(name, event)
    ledger = read(store.events(name))
    while ledger.challenger is not None and ledger.challenger != ledger.champion:  # until the log stands still
        store.set_alias(name, CHALLENGER, ledger.challenger)
        written, ledger = ledger.challenger, read(store.events(name))
        if ledger.challenger == written:
            break
    return ledger.event(own) or event


def rollback(
    store: VersionStore,
    name: str,
    *,
    who: str,
    why: str,
    to: int | None = None,
    only_from: int | None = None,
    stages: bool = False,
    clock: Clock = time.time,
) -> Event:
    """Make an earlier champion champion again. No gate is asked: it was champion once.

    Rolling back twice goes back twice; what one went back from is left out.

    Args:
        to: Which one; None is the champion before (@previous), or before that if it was deleted.
        only_from: Go back only if this is the champion; None: from whichever is.
        stages: As for `promote`; also if the present champion has its stage by trilho.

    Raises:
        VersionNotFound: there is nothing to go back to, or no version `to`.
        PromotionRefused: `to` never was champion.
        PromotionContested: somebody else was promoted meanwhile; look before going back from that.
    """
    if to is not None:
        store.get(name, to)
    ledger = observe(store, name, clock=clock)
    if only_from is not None and ledger.champion != only_from:
        raise _contested(name, f"it was to go back from v{only_from}", ledger, "See who: trilho history")
    target = version_before(store, name, ledger) if to is None else to
    if target is None:
        raise VersionNotFound(
            f"There is no champion of {name} to go back to.",
            state=f"{_worded(ledger.champion).capitalize()} is champion." if ledger.champion else "It has no champion.",
            why="The history holds no earlier champion that still exists.",
            remedy="See what happened: trilho history. Promote a version: trilho promote VERSION",
        )
    if ledger.tail is not None and target == ledger.champion:
        return (settle(store, name, clock=clock).tail or ledger.tail).event
    if not is_same(store, name, ledger, target):
        raise PromotionRefused(
            f"{name} v{target} never was champion, so one cannot go back to it.",
            state=f"The champion is still {_worded(ledger.champion)}.",
            remedy=f"trilho promote {target}",
        )
    event = Event(
        kind="rolled back",
        before=ledger.champion,
        after=target,
        who=who,
        when=clock(),
        why=why,
        stages=stages or (ledger.tail is not None and ledger.tail.event.stages),
    )
    return _carry_out(store, name, event, "See who: trilho history. Then: trilho rollback", clock)


def _carry_out(store: VersionStore, name: str, event: Event, again: str, clock: Clock) -> Event:
    """Write the event; if the log says that it counts, make the aliases follow."""
    try:
        number = _append(store, name, event)
        ledger = read(store.events(name))
        own = ledger.event(number)
        if own is None or not own.valid:
            raise _contested(name, f"v{event.after} was to follow {_worded(event.before)}", ledger, again)
        write_aliases(store, name, clock=clock)
    except (ServerRefused, ServerUnreachable) as error:
        error.state = error.state or (
            f"It is not known whether {name} v{event.after} is champion: what the history says is finished by the next "
            "trilho command that asks for the champion."
        )
        raise
    return own


def _append(store: VersionStore, name: str, event: Event) -> int:
    try:
        return store.append_event(name, event)
    except ServerRefused as error:
        if error.status in (NOT_KNOWN, FORBIDDEN):  # so nothing was written
            error.state = f"The champion is still {_worded(event.before)}."
        raise


def _contested(name: str, meant: str, ledger: Ledger, again: str) -> PromotionContested:
    tail = ledger.tail
    by = f", {tail.event.kind} by {tail.event.who}: {tail.event.why}" if tail else ""
    return PromotionContested(
        f"{name}: {meant}, but somebody else was faster.",
        state=f"The champion is {_worded(ledger.champion)}{by}.",
        remedy=again,
    )


def _worded(champion: int | None) -> str:
    return f"v{champion}" if champion is not None else "none"
