"""What a tracking server holds, as far as the choice of what is old needs it."""

from __future__ import annotations

from dataclasses import dataclass

from trilho.registry import Version


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run, as far as its age and its family matter."""

    run_id: str
    experiment_id: str
    started: float  # seconds since 1970
    artifacts: str = ""  # its location
    parent: str = ""  # the run it is nested in
    running: bool = False


@dataclass(frozen=True, kw_only=True)
class LoggedModel:
    """A model that a run logged, and the location of its files."""

    model_id: str
    run_id: str
    artifacts: str


@dataclass(frozen=True, kw_only=True)
class Versions:
    """The versions of one registered model, and who was its champion: newest first, the present one included.

    All versions of a model that is not `ours` stay; what they need stays with them.
    """

    name: str
    ours: bool = True
    versions: tuple[Version, ...]
    champions: tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is there, and what was deleted before in MLflow but still takes up room."""

    runs: tuple[Run, ...]
    models: tuple[LoggedModel, ...]
    registered: tuple[Versions, ...]
    deleted_runs: tuple[Run, ...] = ()
    deleted_experiments: tuple[str, ...] = ()  # names
