"""How a server stands, as one small file that its parent writes and every worker can read for /health and /metrics."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import msgspec

from trilho.serving.pointer import Promotion, replace_file

FILE = "state.json"


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """A version that could not be put in charge. `when` in seconds since 1970, UTC."""

    version: str
    text: str
    when: float


class State(msgspec.Struct, frozen=True, kw_only=True):
    """What the parent knows.

    Args:
        following: The address of the model: "models:/churn@champion", or a path.
        name, version: In charge; "" while nothing is.
        since: When it was put in charge, seconds since 1970, UTC.
        promotion: What the registry's history says about it; None where nobody could be asked.
        reloads: How often another version was put in charge since the server began.
        failures: How often one could not be.
        last_failure: The newest of these.
        swap_seconds: From noticing the newest version until every worker answered with it.
        registry_reachable: None while nobody asked it, or nobody has to.
        registry_problem: Why it is not.
        journal_bytes: Of the journal on disk.
        journal_deleted: Files of it deleted since the server began, for their age or because there were too many.
        journal_problem: Why it cannot be kept in order; "" if it can.
        workers, workers_wanted: Processes that answer, and how many there are meant to be.
        restarts: Workers that died and were replaced.
    """

    following: str = ""
    name: str = ""
    version: str = ""
    since: float = 0.0
    promotion: Promotion | None = None
    reloads: int = 0
    failures: int = 0
    last_failure: Failure | None = None
    swap_seconds: float | None = None
    registry_reachable: bool | None = None
    registry_problem: str = ""
    journal_bytes: int = 0
    journal_deleted: int = 0
    journal_problem: str = ""
    workers: int = 0
    workers_wanted: int = 0
    restarts: int = 0


class StateFile:
    """The parent's side: changes are written when there are any. Safe from several threads."""

    def __init__(self, folder: Path, **first: Any) -> None:
        self.now = State(**first)
        self._path = folder / FILE
        self._lock = threading.Lock()
        self.change()

    def change(self, **changes: Any) -> None:
        """Replace what is named; a full disk leaves the file as it was."""
        with self._lock:
            fresh = msgspec.structs.replace(self.now, **changes)
            if fresh == self.now and self._path.exists():
                return
            self.now = fresh
            try:
                replace_file(self._path, msgspec.json.encode(fresh))
            except OSError:
                return


def read_state(folder: Path) -> State:
    """The state of the server whose folder this is; an empty one where it has not said anything yet."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=State)
    except (OSError, msgspec.DecodeError):
        return State()
