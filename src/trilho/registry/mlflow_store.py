"""Versions and histories in MLflow's registry, over its REST API.

A history is a registered model NAME.history with one version per event. MLflow counts versions up one at a time and
never gives a number twice, also after deletions, also to rivals: a log with a fixed order that everybody can read.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from trilho.errors import ServerRefused, VersionNotFound
from trilho.registry import missing
from trilho.registry.event_tags import HISTORY_SUFFIX, from_tags, sentence, to_tags
from trilho.registry.naming import check_name
from trilho.registry.patience import patiently
from trilho.registry.store import Entry
from trilho.registry.version import BUNDLE_PATH_TAG, DIGEST_TAG, RUN_KEY_TAG, Event, Version
from trilho.wire import FORBIDDEN, Client

Json = dict[str, Any]

_PAGE = 1000
_EVENT_KEY = "trilho.event_key"
_HISTORY_TAG = "trilho.history"
_DESCRIPTION = (
    "What happened to the champion of {name}: one version per event, written by trilho (trilho history). "
    "Each points to the version of {name} that it is about. Deleting this loses the record, not the champion."
)


class MlflowVersionStore:
    """The VersionStore of a tracking server."""

    def __init__(self, client: Client) -> None:
        self._client = client

    def create(self, name: str, *, source: str, run_id: str, model_id: str, tags: Mapping[str, str]) -> Version:
        check_name(name)
        if self._make_model(name, ""):
            self._make_history(name)  # at once, so that on a server with users both have one owner
        key = tags.get(RUN_KEY_TAG, "")
        found = self._by_tag(name, RUN_KEY_TAG, key) if key else None
        if found is None:
            body = {"name": name, "source": source, "tags": _pairs(tags)}
            body |= {"run_id": run_id} if run_id else {}
            body |= {"model_id": model_id} if model_id else {}
            found = self._about(
                name,
                lambda: self._client.post("model-versions/create", body)["model_version"],
                landed=lambda: self._by_tag(name, RUN_KEY_TAG, key) if key else None,
            )
        return self.get(name, int(found["version"]))

    def get(self, name: str, number: int) -> Version:
        asked = {"name": name, "version": str(number)}
        found = self._on_version(self._client.get, "model-versions/get", asked)["model_version"]
        where = self._on_version(self._client.get, "model-versions/get-download-uri", asked)
        return _version(found, found.get("aliases", ()), where["artifact_uri"])

    def by_alias(self, name: str, alias: str) -> Version | None:
        asked = {"name": name, "alias": alias}
        try:
            found = self._about(name, lambda: self._client.get("registered-models/alias", asked))["model_version"]
        except ServerRefused as error:
            if _is_missing(error) or error.error_code == "INVALID_PARAMETER_VALUE":  # no such model; no such alias
                return None
            raise
        return _version(found, found.get("aliases", ()))

    def versions(self, name: str) -> tuple[Version, ...]:
        model = self._model(name)
        aliases: dict[int, list[str]] = {}
        for each in model.get("aliases", ()):
            aliases.setdefault(int(each["version"]), []).append(each["alias"])
        found = {int(raw["version"]): raw for raw in self._search(name, "version_number DESC")}
        return tuple(_version(raw, aliases.get(number, ())) for number, raw in found.items())

    def names(self) -> tuple[str, ...]:
        found = [raw["name"] for raw in self._pages("registered-models/search", "registered_models", {})]
        return tuple(name for name in found if not name.endswith(HISTORY_SUFFIX))

    def set_alias(self, name: str, alias: str, number: int) -> None:
        body = {"name": name, "alias": alias, "version": str(number)}
        self._on_version(self._client.post, "registered-models/alias", body)

    def remove_alias(self, name: str, alias: str) -> None:
        if self.by_alias(name, alias) is None:
            return  # to take one away needs more rights than to look
        try:
            patiently(lambda: self._client.delete("registered-models/alias", {"name": name, "alias": alias}))
        except ServerRefused as error:
            if not _is_missing(error):
                raise

    def set_tags(self, name: str, number: int, tags: Mapping[str, str]) -> None:
        for key, value in tags.items():
            body = {"name": name, "version": str(number), "key": key, "value": value}
            self._on_version(self._client.post, "model-versions/set-tag", body)

    def set_stage(self, name: str, number: int, stage: str) -> None:
        body = {"name": name, "version": str(number), "stage": stage, "archive_existing_versions": True}
        self._on_version(self._client.post, "model-versions/transition-stage", body)

    def append_event(self, name: str, event: Event) -> int:
        history, key = name + HISTORY_SUFFIX, secrets.token_hex(8)
        about = event.after or event.before
        body: Json = {
            "name": history,
            "source": f"models:/{name}/{about}" if about else self._source(name, event),
            "description": sentence(name, event),
            "tags": _pairs({**to_tags(event), _EVENT_KEY: key}),
        }

        def append() -> Json:
            created: Json = self._client.post("model-versions/create", body)["model_version"]
            return created

        def landed() -> Json | None:
            return self._by_tag(history, _EVENT_KEY, key)

        try:
            created = self._about(history, append, needs=name, landed=landed)
        except ServerRefused as error:
            if not _is_missing(error):
                raise
            body["source"] = self._source(name, event)  # that version is gone, or this is the first event
            self._make_history(name)
            created = patiently(append, landed=landed)
        return int(created["version"])

    def events(self, name: str) -> tuple[Entry, ...]:
        found = (
            from_tags(int(raw["version"]), _tags(raw), _seconds(raw))
            for raw in self._search(name + HISTORY_SUFFIX, "version_number ASC")
        )
        return tuple(entry for entry in found if entry is not None)

    def tag_event(self, name: str, number: int, tags: Mapping[str, str | None]) -> None:
        history = name + HISTORY_SUFFIX
        self.set_tags(history, number, {key: value for key, value in tags.items() if value is not None})
        for key in (key for key, value in tags.items() if value is None):
            body = {"name": history, "version": str(number), "key": key}
            self._on_version(self._client.delete, "model-versions/delete-tag", body)

    def _make_history(self, name: str) -> None:
        """Who makes it owns it, on a server with users: so only who may change the model itself makes its history."""
        history = name + HISTORY_SUFFIX
        tag = {"name": name, "key": _HISTORY_TAG, "value": history}
        patiently(lambda: self._client.post("registered-models/set-tag", tag))
        self._make_model(history, _DESCRIPTION.format(name=name))

    def _make_model(self, name: str, description: str) -> bool:
        """False where it is there already."""
        try:
            patiently(lambda: self._client.get("registered-models/get", {"name": name}))
            return False
        except ServerRefused as error:
            if not _is_missing(error):
                raise
        try:
            body = {"name": name, "description": description}
            patiently(lambda: self._client.post("registered-models/create", body))
            return True
        except ServerRefused as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":  # a rival was faster
                raise
            return False

    def _about(
        self, name: str, ask: Callable[[], Json], *, needs: str = "", landed: Callable[[], Json | None] = lambda: None
    ) -> Json:
        """The answer about a model, and the one that it `needs`.

        Where MLflow has users, it answers 403 about one that is not there: here 404.
        """
        try:
            return patiently(ask, landed=landed)
        except ServerRefused as error:
            if error.status == FORBIDDEN:
                for each in (name, needs) if needs else (name,):
                    self._client.get("registered-models/get", {"name": each})  # refused with 404 where it is not there
            raise

    def _source(self, name: str, event: Event) -> str:
        """MLflow wants to know where a version's files are; an event's are those of the version it is about."""
        for number in (event.after, event.before):
            if number is not None:
                with suppress(VersionNotFound):
                    return f"models:/{name}/{self.get(name, number).number}"
        versions = self.versions(name)
        if not versions:
            raise missing.no_such_version(name, event.after or event.before or 0, ())
        return f"models:/{name}/{versions[0].number}"

    def _model(self, name: str) -> Json:
        try:
            found: Json = patiently(lambda: self._client.get("registered-models/get", {"name": name}))
        except ServerRefused as error:
            if _is_missing(error) or error.error_code == "INVALID_PARAMETER_VALUE":  # a name that MLflow cannot hold
                raise missing.no_such_model(name, self.names()) from error
            raise
        model: Json = found["registered_model"]
        return model

    def _on_version(self, ask: Callable[[str, Json], Json], path: str, about: Json) -> Json:
        """Ask or change something about one version; if it is not there, an error that says what is."""
        try:
            return self._about(about["name"], lambda: ask(path, about))
        except ServerRefused as error:
            if not (_is_missing(error) or error.error_code == "INVALID_PARAMETER_VALUE"):
                raise
            name, number = about["name"], int(about["version"])
            numbers = [version.number for version in self.versions(name)]
            if number in numbers:
                raise
            raise missing.no_such_version(name, number, numbers) from error

    def _by_tag(self, name: str, key: str, value: str) -> Json | None:
        found = self._search(name, "version_number ASC", f" and tags.`{key}` = {_quoted(value)}")
        return next(found, None)

    def _search(self, name: str, order: str, more: str = "") -> Iterator[Json]:
        asked = {"filter": f"name = {_quoted(name)}{more}", "order_by": order}
        return self._pages("model-versions/search", "model_versions", asked)

    def _pages(self, path: str, key: str, asked: Mapping[str, str]) -> Iterator[Json]:
        params: Json = {**asked, "max_results": _PAGE}
        while True:
            page = patiently(lambda: self._client.get(path, params))
            yield from page.get(key, ())
            if not page.get("next_page_token"):
                return
            params["page_token"] = page["next_page_token"]


def _version(raw: Mapping[str, Any], aliases: Any, artifact_root: str = "") -> Version:
    tags = _tags(raw)
    source = raw.get("source", "")
    return Version(
        name=raw["name"],
        number=int(raw["version"]),
        run_id=raw.get("run_id", ""),
        model_id=raw.get("model_id") or (source.removeprefix("models:/") if source.startswith("models:/m-") else ""),
        digest=tags.get(DIGEST_TAG, ""),
        bundle_path=tags.get(BUNDLE_PATH_TAG, "trilho/bundle.tar"),
        artifact_root=artifact_root,
        created=_seconds(raw),
        aliases=tuple(sorted(aliases)),
        tags=MappingProxyType(tags),
        stage=raw.get("current_stage", "None"),
    )


def _tags(raw: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in raw.get("tags", ())}


def _pairs(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _seconds(raw: Mapping[str, Any]) -> float:
    return int(raw.get("creation_timestamp", 0)) / 1000


def _quoted(text: str) -> str:
    return f'"{text}"' if "'" in text else f"'{text}'"


def _is_missing(error: ServerRefused) -> bool:
    return error.status == 404 and error.error_code == "RESOURCE_DOES_NOT_EXIST"
