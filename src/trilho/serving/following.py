"""Keeps the pointer at the newest version that an address leads to and that opens here.

New before old: a version is fetched, verified and opened in a child process before the pointer moves. One that does
not open is remembered and left alone for a growing while, and whatever was in charge stays.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from trilho import bundle, registry
from trilho.errors import BundleDamaged, ServerRefused, ServerUnreachable, ServiceFailed, TrilhoError, VersionNotFound
from trilho.registry import Version, VersionStore
from trilho.serving.charge import Charge, named
from trilho.serving.pointer import Promotion, Target
from trilho.serving.source import MODELS, Trust, fetch, keep_in_mind, last_known, look_up, moves
from trilho.serving.state import Failure, StateFile
from trilho.serving.trying import try_in_a_process
from trilho.wire import Client, connect

ANSWER_SECONDS = 5.0  # the registry's time to answer a question; files have their own
NOT_FOUND = 404  # its files are gone from the server: that is the version's fault
LONGEST_PAUSE = 300.0  # between two attempts at the same version
Address = Callable[[], str]

_log = logging.getLogger("trilho.serving")


class Follower:
    """Looks at the registry and moves the pointer. All but `look` and `close` may be called from another thread.

    Args:
        model: An address of the tracking server.
        folder: Where bundles are kept.
        charge: Who is in charge.
        address: The tracking server's address, asked each time: the local one may move to another port. Raises
            ServiceFailed or ServerUnreachable where there is none now.
        every: Seconds between looks; the first pause after a failure, too.
    """

    def __init__(
        self,
        model: str,
        *,
        folder: Path,
        charge: Charge,
        address: Address,
        trust: Trust,
        state: StateFile,
        every: float,
    ) -> None:
        self.model = model
        self.problem: TrilhoError | None = None  # why the last look led to nothing
        self.hopeless: TrilhoError | None = None  # why nothing at all can be served; None while something can
        self.wake = threading.Event()  # set: look now
        self._folder, self._charge, self._address = folder, charge, address
        self._trust, self._state, self._every = trust, state, every
        self._client: Client | None = None
        self._uri = ""
        self._failed: dict[str, tuple[int, float]] = {}  # version and digest → attempts, when to try again
        self._proved: set[str] = set()  # digests of what workers answered with since this server began
        self._doubts: tuple[TrilhoError, bool] | None = None

    def look(self) -> None:
        """Ask once where the address leads, and follow. Never raises: what goes wrong is in `problem` and the state."""
        try:
            self._follow()
        except (ServerUnreachable, ServerRefused, ServiceFailed) as error:
            self._unreachable(error)
        except VersionNotFound as error:
            self._reached()
            if self.problem is None and self._charge.pointer.target is not None:
                _log.warning("%s %s stays in charge.", error.what, named(self._charge.pointer.target))
            self.problem = error

    def point_to_last_known(self, *, first: bool) -> bool:
        """Put in charge what the address led to when it was asked last; whether there was such a version.

        Raises:
            BundleDamaged: it was altered since.
        """
        try:
            found = last_known(self.model, folder=self._folder, problem=None)
        except BundleDamaged:
            raise
        except TrilhoError:
            return False
        if self._charge.point(found.target, first=first) and self.problem is not None:
            _log.warning("%s This is the last version known: %s.", self.problem.what, named(found.target))
        return True

    def doubt(self, error: TrilhoError, *, alone: bool) -> None:
        """A worker could not open what the pointer names: the next look, at once, sees to it.

        Args:
            alone: No other worker has opened it.
        """
        self._doubts = (error, alone)
        self.wake.set()

    def confirm(self, target: Target) -> None:
        """A worker answers with it: what a start without a registry begins with."""
        self._proved.add(target.digest)
        self._failed.pop(_key(target.version, target.digest), None)
        keep_in_mind(self._folder, self.model, target)

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    def _follow(self) -> None:
        if self._doubts is not None:
            self._settle_doubts(*self._doubts)
        if self._charge.pointer.target is not None and not moves(self.model):
            return
        client = self._connected()
        if not self.model.startswith(MODELS):
            self._charge.point(look_up(client, self.model, folder=self._folder, trust=self._trust).target)
            self._reached()
            return
        store = registry.open_store(client)
        version = self._resolved(store)
        self._reached()
        current = self._charge.pointer.target
        if current is not None and (current.version, current.digest) == (str(version.number), version.digest):
            return
        key = _key(str(version.number), version.digest)
        if time.monotonic() < self._failed.get(key, (0, 0.0))[1]:
            return
        try:
            self._take(client, store, version, tried=key in self._failed)
        except ServerUnreachable:
            raise  # that is not the version's fault
        except (TrilhoError, OSError) as error:
            if isinstance(error, ServerRefused) and error.status != NOT_FOUND:
                raise
            self._refuse(key, str(version.number), error)

    def _resolved(self, store: VersionStore) -> Version:
        """Where the address leads: one request for an alias."""
        name, _, alias = self.model.removeprefix(MODELS).partition("@")
        found = store.by_alias(name, alias) if alias else None
        return found or registry.resolve(store, self.model)

    def _take(self, client: Client, store: VersionStore, version: Version, *, tried: bool) -> None:
        seen = time.monotonic()
        whole = version if version.artifact_root else store.get(version.name, version.number)
        found = fetch(client, whole, folder=self._folder, trust=self._trust)
        current = self._charge.pointer.target
        if current is not None and (current.version, current.digest) == (found.version, found.digest):
            return  # a version without a digest in its tags, made into a bundle here
        # At the very start the workers themselves try: there is nothing to lose.
        if (current is not None or tried) and found.digest not in self._proved:
            try_in_a_process(found.path, trust_code=self._trust.code, trusted=self._trust.types)
        self.problem = None
        promotion = _promotion(store, version) if moves(self.model) else None
        self._charge.point(msgspec.structs.replace(found.target, promotion=promotion), seen=seen)

    def _settle_doubts(self, error: TrilhoError, alone: bool) -> None:
        """What is in charge does not open in a worker: fetch it anew if it was damaged on this disk, else step back.

        Workers that opened it before keep it in memory and answer on.
        """
        target = self._charge.pointer.target
        if target is None:
            self._doubts = None
            return
        if _damaged(target):
            try:
                self._fetch_anew(target)
            except TrilhoError:
                if not alone:
                    raise  # asked again at the next look
            else:
                return
        self._doubts = None
        self._proved.discard(target.digest)
        self._refuse(_key(target.version, target.digest), target.version, error)
        if alone:
            self._step_back(target, error)

    def _fetch_anew(self, target: Target) -> None:
        path = Path(target.path)
        if target.digest not in path.name:
            path.unlink(missing_ok=True)  # others are compared with their name, and replaced
        found = look_up(self._connected(), self.model, folder=self._folder, trust=self._trust)
        self._doubts = None
        _log.warning("The bundle of %s was damaged on this disk; it was fetched anew.", named(target))
        if found.target.same_model(target):
            self._charge.point(target)  # under a new number, so that workers look again

    def _step_back(self, target: Target, error: TrilhoError) -> None:
        before = self._charge.pointer.previous
        if before is None or before.same_model(target) or _damaged(before):
            try:
                before = last_known(self.model, folder=self._folder, problem=None).target
            except TrilhoError:
                before = None
        if before is not None and not before.same_model(target):
            self._charge.point(before)
            return
        self.hopeless = error
        self._charge.point(None)

    def _connected(self) -> Client:
        uri = self._address()
        if self._client is None or uri != self._uri:
            self.close()
            self._client, self._uri = connect(uri, seconds=ANSWER_SECONDS), uri
        return self._client

    def _refuse(self, key: str, version: str, error: TrilhoError | OSError) -> None:
        attempts = self._failed.get(key, (0, 0.0))[0] + 1
        pause = min(self._every * 2**attempts, LONGEST_PAUSE)
        self._failed[key] = (attempts, time.monotonic() + pause)
        text = " ".join(str(error).split())
        failure = Failure(version=version, text=text, when=time.time())
        self._state.change(failures=self._state.now.failures + 1, last_failure=failure)
        current = self._charge.pointer.target
        stays = f"{named(current)} stays in charge" if current is not None else "nothing is in charge"
        _log.error("v%s cannot be served: %s — %s; it is tried again in %.0f s.", version, text, stays, pause)
        self.problem = error if isinstance(error, TrilhoError) else _disk_trouble(version, error)

    def _reached(self) -> None:
        if self._state.now.registry_reachable is False:
            _log.info("The registry answers again.")
        self._state.change(registry_reachable=True, registry_problem="")
        if isinstance(self.problem, ServerUnreachable | ServerRefused | ServiceFailed):
            self.problem = None

    def _unreachable(self, error: TrilhoError) -> None:
        self.problem = error
        if self._state.now.registry_reachable is not False and self._charge.pointer.target is not None:
            _log.warning("%s %s stays in charge.", error.what, named(self._charge.pointer.target))
        self._state.change(registry_reachable=False, registry_problem=f"{error.what} {error.why}".strip())


# ----------------------------------------------------------------------------------------------------------------------


def _promotion(store: VersionStore, version: Version) -> Promotion | None:
    """The last event that put this version in charge. Nice to know, and no reason to fail."""
    try:
        events = [entry.event for entry in store.events(version.name)]
    except TrilhoError:
        return None
    found = [event for event in events if event.after == version.number and event.kind != "refused"]
    if not found:
        return None
    event = found[-1]
    return Promotion(kind=event.kind, who=event.who, when=event.when, why=event.why)


def _disk_trouble(version: str, error: OSError) -> ServiceFailed:
    return ServiceFailed(
        f"v{version} could not be fetched.", why=f"{error.strerror or error}.", remedy="Free some disk space."
    )


def _key(version: str, digest: str) -> str:
    return f"{version} {digest}"


def _damaged(target: Target) -> bool:
    try:
        bundle.verify(Path(target.path), target.digest)
    except BundleDamaged:
        return True
    return False
