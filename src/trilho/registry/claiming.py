"""Who is training a model again: claimed in its history, so that of several who decide to, one does.

A claim names the claim before it. MLflow numbers events one after the other, so of two claims that name the same one
the first counts and the other is void, and both writers read that the same way (ledger.py). The holder leaves a sign of
life on its claim every now and then; when none came for `retrain.takeover`, whoever looks next may claim the same work
again, with `resumes`: the reasons, and the moment up to which labels count, stay those of the first claim.
"""

from __future__ import annotations

import getpass
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from typing import Literal

from trilho.errors import ServerRefused, ServerUnreachable
from trilho.registry.event_tags import ALIVE_TAG, LONGEST_WHY, OUTCOME_TAG
from trilho.registry.ledger import Ledger, read
from trilho.registry.settling import Clock
from trilho.registry.store import VersionStore
from trilho.registry.version import Event

Ending = Literal["promoted", "refused", "registered", "unchanged", "failed", "stopped"]
FRUITLESS = ("failed", "stopped")  # no model came of it

BEATS = 5  # signs of life in the time after which a holder counts as gone


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One retraining, as the history tells it.

    Args:
        number: Of the event.
        first: Of the event that began it: `number`, unless this claim goes on with another's work.
        began: When that was, seconds since 1970: labels that came later are for the next one.
        alive: When its holder was last heard of, by the holder's clock.
        outcome: What came of it, beginning with its Ending and a colon; "" while it is at work.
        holders: How many had it so far, this one included.
    """

    number: int
    first: int
    who: str
    why: str
    began: float
    alive: float
    outcome: str = ""
    holders: int = 1

    @property
    def ended(self) -> bool:
        return bool(self.outcome)

    @property
    def fruitless(self) -> bool:
        """Did it end without a model?"""
        return self.outcome.partition(":")[0] in FRUITLESS


def last_claim(store: VersionStore, name: str) -> Claim | None:
    """The retraining begun last, at work or ended; None where there was none. Only looks."""
    found = claims(store, name)
    return found[-1] if found else None


def claims(store: VersionStore, name: str) -> tuple[Claim, ...]:
    """Every retraining that counts, oldest first; one that was taken over once for each holder. Only looks."""
    return _claims(read(store.events(name)))


def claim(
    store: VersionStore,
    name: str,
    *,
    after: Claim | None,
    champion: int | None,
    why: str,
    who: str = "",
    resume: bool = False,
    clock: Clock = time.time,
) -> Claim | None:
    """Say that one begins to train `name` again.

    Args:
        after: The last claim, as the decision saw it.
        champion: Who is champion now.
        who: USER@MACHINE of this process, where nobody is named.
        resume: Go on with `after`, whose holder fell silent.

    Returns:
        The claim; None where somebody else was faster.

    Raises:
        VersionNotFound: the model has no version.
    """
    event = Event(
        kind="retraining",
        before=champion,
        after=None,
        who=who or f"{getpass.getuser()}@{socket.gethostname()}",
        when=clock(),
        why=why,
        follows=after.number if after else 0,
        resumes=after.first if after and resume else 0,
    )
    own = store.append_event(name, event)
    found = {each.number: each for each in claims(store, name)}
    return found.get(own)


def end_claim(store: VersionStore, name: str, held: Claim, ending: Ending, text: str) -> bool:
    """Write down what came of it. False where somebody else took it over meanwhile: then it is theirs to tell."""
    last = last_claim(store, name)
    if last is None or last.number != held.number or last.ended:
        return False
    store.tag_event(name, held.number, {OUTCOME_TAG: f"{ending}: {text}"[:LONGEST_WHY]})
    return True


@contextmanager
def kept_alive(
    open_store: Callable[[], AbstractContextManager[VersionStore]],
    name: str,
    held: Claim,
    *,
    seconds: float,
    clock: Clock = time.time,
) -> Iterator[None]:
    """Leave signs of life on a claim, from a thread, so often that nobody takes it over within `seconds`.

    Args:
        open_store: A store of its own for the thread, with what is to be closed in the end. A server that does not
            answer is asked again.
    """
    over = threading.Event()

    def beat() -> None:
        while not over.wait(seconds / BEATS):
            with suppress(ServerUnreachable, ServerRefused), open_store() as store:
                store.tag_event(name, held.number, {ALIVE_TAG: repr(float(clock()))})

    thread = threading.Thread(target=beat, name="trilho-retraining", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# ----------------------------------------------------------------------------------------------------------------------


def _claims(ledger: Ledger) -> tuple[Claim, ...]:
    found: list[Claim] = []
    for entry in ledger.entries:
        event = entry.event
        if event.kind != "retraining" or not event.valid:
            continue
        before = found[-1] if found and event.resumes and found[-1].first == event.resumes else None
        found.append(
            Claim(
                number=event.number,
                first=before.first if before else event.number,
                who=event.who,
                why=event.why,
                began=before.began if before else event.when,
                alive=entry.alive,
                outcome=event.outcome,
                holders=before.holders + 1 if before else 1,
            )
        )
    return tuple(found)
