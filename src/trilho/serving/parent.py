"""The process that serves without answering: it opens the socket, keeps N workers on it, and follows the champion.

Workers answer; this one decides what they answer with. It stays small: neither MLflow nor pandas nor scikit-learn, nor
numpy are loaded here.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from trilho.errors import ServiceFailed, TrilhoError
from trilho.serving.charge import Charge
from trilho.serving.crew import Crew
from trilho.serving.following import Address, Follower
from trilho.serving.orders import Orders, retold
from trilho.serving.pointer import Pointer
from trilho.serving.server import Listening
from trilho.serving.shelf import clean, run_folder
from trilho.serving.source import Trust, find, is_on_server
from trilho.serving.state import StateFile

LOOK_SECONDS = 0.05  # between looks at the workers
TIDY_SECONDS = 5.0  # between calls of `tidy`
WANTED_SECONDS = 2.0  # between questions whether this server is still wanted
ASK_SECONDS = 1.0  # at the start the registry has so long, before the last known version is put in charge
HOPELESS = 5  # workers that died at once, one after the other, before any answered

_log = logging.getLogger("trilho.serving")


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What is served, and from where.

    Args:
        model: An address of the tracking server, or a path (`source.find`).
        folder: Where bundles are kept.
        workers: Processes.
        every: Seconds between looks at the registry.
        wait: Start without a model, too, and answer 503 until there is one.
    """

    model: str
    folder: Path
    workers: int = 1
    every: float = 2.0
    wait: bool = False


def serve(
    plan: Plan,
    orders: Orders,
    listening: Listening,
    *,
    address: Address,
    began: Callable[[Pointer], None] = lambda _: None,
    wanted: Callable[[], bool] = lambda: True,
    tidy: Callable[[], Mapping[str, Any]] = dict,
) -> None:
    """Serve until SIGINT or SIGTERM; then finish what is in flight and return.

    Args:
        orders: For the workers; folder and socket are filled in here.
        address: See `Follower`.
        began: Called once workers answer, with what they answer with (no target: they wait for a first model).
        wanted: Asked now and then: False ends the server.
        tidy: Called now and then: for what a single process should see to. What it returns is noted in the state.

    Raises:
        TrilhoError: there is nothing to serve, and nobody wants to wait for it; or no worker starts.
    """
    with run_folder(plan.folder) as run, _stopped() as stopped:
        state = StateFile(run, following=plan.model, workers_wanted=plan.workers)
        crew = Crew(listening, msgspec.structs.replace(orders, folder=str(run)), plan.workers)
        trust = Trust(code=orders.trust_code, types=orders.trusted)
        charge = Charge(run, state)
        follower = Follower(
            plan.model, folder=plan.folder, charge=charge, address=address, trust=trust, state=state, every=plan.every
        )
        try:
            crew.fill()  # they import what they need while the registry is asked
            _begin(plan, follower, charge, trust, stopped)
            threading.Thread(target=_tidy, args=(tidy, state, stopped), daemon=True).start()
            _watch(plan, crew, follower, charge, state, stopped, began=began, wanted=wanted)
        finally:
            stopped.set()
            follower.wake.set()
            listening.sock.close()  # from here on the address is free: workers close theirs at once, too
            crew.stop(orders.stop_seconds + 10)


# ----------------------------------------------------------------------------------------------------------------------


def _begin(plan: Plan, follower: Follower, charge: Charge, trust: Trust, stopped: threading.Event) -> None:
    """Point to something: the newest version if the registry says quickly which one, else the last known, else none."""
    if not is_on_server(plan.model):
        charge.point(find(plan.model, folder=plan.folder, trust=trust).target)
        return
    looked = threading.Event()
    threading.Thread(target=_follow, args=(plan, follower, looked, stopped), daemon=True).start()
    if looked.wait(ASK_SECONDS) and charge.pointer.number:
        return
    problem: TrilhoError | None = None
    try:
        if follower.point_to_last_known(first=True) or charge.pointer.number:
            return
    except TrilhoError as error:  # damaged on this disk
        problem = error
    while not looked.wait(0.1) and not stopped.is_set():
        continue
    if charge.pointer.number or stopped.is_set():
        return
    if not plan.wait:
        raise problem or follower.problem or ServiceFailed(f"{plan.model} leads nowhere.", remedy="trilho run")
    charge.point(None, first=True)


def _follow(plan: Plan, follower: Follower, looked: threading.Event, stopped: threading.Event) -> None:
    """The follower's thread."""
    while not stopped.is_set():
        try:
            follower.look()
        except Exception:  # the thread must not end before the server does
            _log.exception("following %s failed", plan.model)
        looked.set()
        follower.wake.wait(plan.every)
        follower.wake.clear()
    follower.close()


def _watch(
    plan: Plan,
    crew: Crew,
    follower: Follower,
    charge: Charge,
    state: StateFile,
    stopped: threading.Event,
    *,
    began: Callable[[Pointer], None],
    wanted: Callable[[], bool],
) -> None:
    """Keep the crew complete, and hear what it says, until it is time to stop."""
    served = doubted = 0  # numbers of pointers
    due = 0.0
    while not stopped.wait(LOOK_SECONDS):
        crew.fill()
        pointer, holdings = charge.pointer, crew.holdings()
        there = [holding for holding in holdings if holding.number == pointer.number and holding.failure is None]
        state.change(workers=len(holdings), restarts=crew.restarts)
        failure = next((each.failure for each in holdings if each.number == pointer.number and each.failure), None)
        if failure is not None and doubted != pointer.number:
            doubted = pointer.number
            if not is_on_server(plan.model) and not served:
                raise retold(failure)
            _log.warning("A worker cannot open what it should serve: %s", " ".join(str(retold(failure)).split()))
            follower.doubt(retold(failure), alone=not there)
        if follower.hopeless is not None and not served and not plan.wait:
            raise follower.hopeless
        if there and served != pointer.number and (served == 0 or len(there) == len(crew.alive)):
            if not served:
                began(pointer)
            elif charge.noticed[0] == pointer.number and charge.noticed[1]:
                state.change(swap_seconds=round(time.monotonic() - charge.noticed[1], 3))
            _settled(plan, follower, pointer)
            served = pointer.number
        if not served and crew.worst >= HOPELESS:
            raise ServiceFailed(
                "No worker stays alive.",
                why=f"{HOPELESS} died one after the other, right after their start.",
                remedy="What they wrote is above, or in: trilho logs serving",
            )
        if time.monotonic() >= due:
            due = time.monotonic() + WANTED_SECONDS
            if not wanted():
                _log.warning("Nobody wants this server any more; it ends.")
                return


def _settled(plan: Plan, follower: Follower, pointer: Pointer) -> None:
    """Workers answer with what the pointer names."""
    if pointer.target is not None and is_on_server(plan.model):
        follower.confirm(pointer.target)
        for name in clean(plan.folder):
            _log.info("Removed the bundle %s: nobody needs it any more.", name)


def _tidy(tidy: Callable[[], Mapping[str, Any]], state: StateFile, stopped: threading.Event) -> None:
    while not stopped.wait(TIDY_SECONDS):
        try:
            state.change(**tidy())
        except Exception:
            _log.exception("tidying up failed")


@contextmanager
def _stopped() -> Iterator[threading.Event]:
    """An event that SIGINT and SIGTERM set; a second Ctrl-C waits for nothing."""
    event = threading.Event()

    def stop(number: int, _: object) -> None:
        if event.is_set() and number == signal.SIGINT:
            sys.exit(130)
        event.set()

    names = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield event
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
