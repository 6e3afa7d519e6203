"""What a registry must be able to do, whichever it is: MLflow's (mlflow_store.py) or one in memory (testing.py)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from trilho.registry.version import Event, Version


@dataclass(frozen=True, kw_only=True)
class Entry:
    """An event as the log holds it.

    Args:
        created: When the registry took it in, seconds since 1970 by the registry's clock.
        settled: The aliases followed it, at least once.
        writing: Who is writing aliases because of it and has not said to be done: the tag they left, and when they
            began, seconds since 1970.
        alive: Of a retraining: when its holder was last heard of, seconds since 1970.
    """

    event: Event
    created: float = 0.0
    settled: bool = False
    writing: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    alive: float = 0.0


class VersionStore(Protocol):
    """Each call is one whole change or answer; none of them spans several.

    All raise ServerUnreachable and ServerRefused where there is a server.
    """

    def create(self, name: str, *, source: str, run_id: str, model_id: str, tags: Mapping[str, str]) -> Version:
        """Register a version, and the model if it is the first.

        If a version of this model has the same `trilho.run_key` among its tags, that one is given back: sending a run
        twice registers once. (Two senders at the same instant can still make two; the spool's lock keeps them apart.)

        Raises:
            InvalidProject: MLflow cannot hold this name.
        """
        ...

    def get(self, name: str, number: int) -> Version:
        """That version, with its artifact root. Raises VersionNotFound, with near names."""
        ...

    def by_alias(self, name: str, alias: str) -> Version | None:
        """The version that an alias names; None where there is no such alias, or model."""
        ...

    def versions(self, name: str) -> tuple[Version, ...]:
        """All versions, newest first. Raises VersionNotFound where there is no such model."""
        ...

    def names(self) -> tuple[str, ...]:
        """The names of all models, histories left out."""
        ...

    def set_alias(self, name: str, alias: str, number: int) -> None:
        """Raises VersionNotFound."""
        ...

    def remove_alias(self, name: str, alias: str) -> None:
        """An alias that is not there is removed already."""
        ...

    def set_tags(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        """Raises VersionNotFound."""
        ...

    def set_stage(self, name: str, number: int, stage: str) -> None:
        """Give a version the stage and archive those that had it. Raises VersionNotFound."""
        ...

    def append_event(self, name: str, event: Event) -> int:
        """Write an event at the end of the model's log; its number. The first one makes the log.

        Raises:
            VersionNotFound: the model has no versions at all.
        """
        ...

    def events(self, name: str) -> tuple[Entry, ...]:
        """The whole log, oldest first; () where there is none. What was deleted or made unreadable is a gap in the
        numbers."""
        ...

    def tag_event(self, name: str, number: int, tags: Mapping[str, str | None]) -> None:
        """Set tags of an event; None removes one."""
        ...
