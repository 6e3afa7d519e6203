"""What the contracts do to a store, in a word each."""

from __future__ import annotations

from trilho import registry
from trilho.registry import Version, VersionStore


def number_of(version: Version | None) -> int | None:
    return version.number if version else None


def register(store: VersionStore, name: str, count: int = 1, **tags: str) -> None:
    for _ in range(count):
        store.create(name, source="s3://bucket/model", run_id="", model_id="", tags=tags)


def promote(store: VersionStore, name: str, *numbers: int, stages: bool = False) -> None:
    for number in numbers:
        champion = number_of(registry.champion(store, name))
        registry.promote(store, name, number, before=champion, who="ana", why="better", stages=stages)


def kinds(store: VersionStore, name: str) -> list[str]:
    return [event.kind for event in registry.history(store, name)]
