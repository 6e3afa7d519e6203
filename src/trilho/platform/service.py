"""What can run on this machine, as values: a service, what was started of it, and how it is now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

HOST = "127.0.0.1"

# Every answer of a service carries its id under this name. Two projects on one machine, a port that changed hands or a
# recycled process id: none of them can pass for the service that was started.
ID_HEADER = "x-trilho-service"

Say = Callable[[str], None]
State = Literal["running", "starting", "not answering", "dead", "stopped"]


def silent(_: str) -> None:
    """For callers who do not want to hear about progress."""


def nothing_to_prepare() -> None:
    """For services that need no preparation."""


@dataclass(frozen=True, kw_only=True)
class KnownFailure:
    """A cause of death that has a remedy. Looked for in the log of a service that did not start."""

    pattern: str  # regular expression, case does not matter
    what: str  # one sentence
    remedy: str


@dataclass(frozen=True, kw_only=True)
class Service:
    """One long-running process of a project.

    Supervision adds `--port`, `--id` and `--record` to the command. The process listens on 127.0.0.1 at that port,
    answers 200 on `health` once it is ready, with the id in the header `x-trilho-service`, and should end itself when
    the record is gone or carries another id, so that a deleted project leaves no process behind.
    """

    name: str  # names its log and its record; letters, digits and dashes
    state_dir: Path  # the project's .trilho
    command: tuple[str, ...]
    folder: Path  # where it runs
    port: int  # the one it would like
    health: str = "/health"
    known_failures: tuple[KnownFailure, ...] = ()
    prepare: Callable[[], None] = nothing_to_prepare  # runs before each start; may raise ServiceFailed

    @property
    def log(self) -> Path:
        return log_path(self.state_dir, self.name)

    @property
    def record(self) -> Path:
        return record_path(self.state_dir, self.name)


@dataclass(frozen=True, kw_only=True)
class Record:
    """What was started: the content of .trilho/services/NAME.json."""

    name: str
    id: str  # random, new at each start; on its command line and in each of its answers
    pid: int | None  # None: about to be started
    port: int
    health: str
    started: float  # seconds since 1970

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Status:
    """How a service is now."""

    name: str
    state: State
    log: Path
    pid: int | None = None
    address: str | None = None
    since: float | None = None  # seconds since 1970
    memory: int | None = None  # bytes resident, its children included

    @property
    def running(self) -> bool:
        """Whether it runs and answers."""
        return self.state == "running"


def log_path(state_dir: Path, name: str) -> Path:
    """Where a service of the project in `state_dir` writes its log."""
    return state_dir / "logs" / f"{name}.log"


def record_path(state_dir: Path, name: str) -> Path:
    """Where it is written down that a service of the project in `state_dir` was started."""
    return state_dir / "services" / f"{name}.json"
