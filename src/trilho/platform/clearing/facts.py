"""What a tracking server holds, as far as the choice of what is old needs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

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
    """A logged model, the run that logged it ("" for none), and the location of its files."""

    model_id: str
    run_id: str
    artifacts: str
    experiment_id: str = ""
    deleted: bool = False  # marked in MLflow; its files are still there


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """An experiment that was deleted in MLflow; `occupied` where a run in it is not."""

    experiment_id: str
    name: str
    occupied: bool = False


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
    """What is there, and what was deleted before in MLflow but still takes up room.

    `named` says which runs and models a version's row names, in whatever way: also those of versions that this login
    may not see. `measured` are pairs of a model and a run that logged metrics of it: the database keeps both or the
    model's metrics go.
    """

    runs: tuple[Run, ...]
    models: tuple[LoggedModel, ...]
    registered: tuple[Versions, ...]
    deleted_runs: tuple[Run, ...] = ()
    deleted_experiments: tuple[Experiment, ...] = ()
    named: Mapping[tuple[str, int], frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    measured: frozenset[tuple[str, str]] = frozenset()
