"""Fakes to test with, yours and ours: a registry in memory, and a clock that only moves when told to.

>>> from trilho import registry
>>> from trilho.testing import Clock, InMemoryVersionStore
>>> store, clock = InMemoryVersionStore(), Clock(1000.0)
>>> version = store.create("fraud", source="models:/m-1", run_id="", model_id="m-1", tags={})
>>> event = registry.promote(store, "fraud", 1, before=None, who="ana", why="first", clock=clock)
>>> registry.champion(store, "fraud").number
1
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from trilho.registry import Entry, Event, Version, check_name, missing
from trilho.registry.event_tags import HISTORY_SUFFIX, from_tags, to_tags
from trilho.registry.version import BUNDLE_PATH_TAG, DIGEST_TAG, RUN_KEY_TAG


class Clock:
    """Seconds since 1970 that stand still. Give it wherever trilho asks for a `clock`."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


class InMemoryVersionStore:
    """A `registry.VersionStore` without a server, gone with the process. Threads may share it."""

    def __init__(self, *, clock: Clock | None = None) -> None:
        self._clock = clock or Clock()
        self._models: dict[str, _Model] = {}
        self._lock = threading.RLock()

    def create(self, name: str, *, source: str, run_id: str, model_id: str, tags: Mapping[str, str]) -> Version:
        check_name(name)
        with self._lock:
            model = self._models.setdefault(name, _Model())
            key = tags.get(RUN_KEY_TAG)
            known = (version for version in model.versions.values() if version.tags.get(RUN_KEY_TAG) == key)
            found = next(known, None) if key else None
            number = found.number if found else self._add(name, tags, source=source, run_id=run_id, model_id=model_id)
            return self.get(name, number)

    def get(self, name: str, number: int) -> Version:
        with self._lock:
            model = self._model(name)
            if number not in model.versions:
                raise missing.no_such_version(name, number, model.versions)
            aliases = sorted(alias for alias, target in model.aliases.items() if target == number)
            return replace(model.versions[number], aliases=tuple(aliases))

    def by_alias(self, name: str, alias: str) -> Version | None:
        with self._lock:
            model = self._models.get(name, _Model())
            return self.get(name, model.aliases[alias]) if alias in model.aliases else None

    def versions(self, name: str) -> tuple[Version, ...]:
        with self._lock:
            return tuple(self.get(name, number) for number in sorted(self._model(name).versions, reverse=True))

    def names(self) -> tuple[str, ...]:
        with self._lock:
            return tuple(sorted(name for name in self._models if not name.endswith(HISTORY_SUFFIX)))

    def set_alias(self, name: str, alias: str, number: int) -> None:
        with self._lock:
            self.get(name, number)
            self._models[name].aliases[alias] = number

    def remove_alias(self, name: str, alias: str) -> None:
        with self._lock:
            self._models.get(name, _Model()).aliases.pop(alias, None)

    def set_tags(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        with self._lock:
            self._retag(name, number, {**self.get(name, number).tags, **tags})

    def set_stage(self, name: str, number: int, stage: str) -> None:
        with self._lock:
            self.get(name, number)
            versions = self._models[name].versions
            for each, version in versions.items():
                if version.stage == stage:
                    versions[each] = replace(version, stage="Archived")
            versions[number] = replace(versions[number], stage=stage)

    def append_event(self, name: str, event: Event) -> int:
        with self._lock:
            if not self._model(name).versions:
                raise missing.no_such_version(name, event.after or event.before or 0, ())
            self._models.setdefault(name + HISTORY_SUFFIX, _Model())
            return self._add(name + HISTORY_SUFFIX, to_tags(event))

    def events(self, name: str) -> tuple[Entry, ...]:
        with self._lock:
            versions = self._models.get(name + HISTORY_SUFFIX, _Model()).versions.values()
            found = (from_tags(version.number, version.tags, version.created) for version in versions)
            return tuple(entry for entry in found if entry is not None)

    def tag_event(self, name: str, number: int, tags: Mapping[str, str | None]) -> None:
        with self._lock:
            changed = {**self.get(name + HISTORY_SUFFIX, number).tags, **tags}
            kept = {key: value for key, value in changed.items() if value is not None}
            self._retag(name + HISTORY_SUFFIX, number, kept)

    def delete_version(self, name: str, number: int) -> None:
        """What a person can do in MLflow: its aliases go with it, its number is never given again.

        An event is version `number` of "NAME.history".
        """
        with self._lock:
            self.get(name, number)
            model = self._models[name]
            del model.versions[number]
            model.aliases = {alias: target for alias, target in model.aliases.items() if target != number}

    def delete_model(self, name: str) -> None:
        """What a person can do in MLflow: all versions and aliases are gone, numbers start again at 1."""
        with self._lock:
            self._model(name)
            del self._models[name]

    def _model(self, name: str) -> _Model:
        if name not in self._models:
            raise missing.no_such_model(name, self.names())
        return self._models[name]

    def _add(
        self, name: str, tags: Mapping[str, str], *, source: str = "", run_id: str = "", model_id: str = ""
    ) -> int:
        model = self._models[name]
        model.count += 1
        model.versions[model.count] = Version(
            name=name,
            number=model.count,
            run_id=run_id,
            model_id=model_id or (source.removeprefix("models:/") if source.startswith("models:/m-") else ""),
            artifact_root=source,
            created=self._clock(),
        )
        self._retag(name, model.count, tags)
        return model.count

    def _retag(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        versions = self._models[name].versions
        versions[number] = replace(
            versions[number],
            tags=MappingProxyType(dict(tags)),
            digest=tags.get(DIGEST_TAG, ""),
            bundle_path=tags.get(BUNDLE_PATH_TAG, "trilho/bundle.tar"),
        )


@dataclass
class _Model:
    versions: dict[int, Version] = field(default_factory=dict)
    aliases: dict[str, int] = field(default_factory=dict)
    count: int = 0
