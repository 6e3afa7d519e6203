"""Ask a tracking server what it holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from trilho.platform.clearing.facts import Facts, LoggedModel, Run, Versions
from trilho.registry import VersionStore, history
from trilho.wire import Client

_PAGE = 1000
_MODELS_PAGE = 50
_PARENT = "mlflow.parentRunId"
_RUNNING = ("RUNNING", "SCHEDULED")
_MOVED = ("promoted", "rolled back", "adopted")


def look(client: Client, store: VersionStore, *, experiment: str | None, model: str | None) -> Facts:
    """What there is of one experiment and one registered model (None: of all), and what was deleted on the server.

    Models of deleted runs are looked for in all experiments.

    Raises:
        ServerUnreachable, ServerRefused: the server does not answer, or not to us.
    """
    found = list(_pages(client, "experiments/search", "experiments", {"view_type": "ALL", "max_results": _PAGE}))
    alive = [each["experiment_id"] for each in found if each["lifecycle_stage"] == "active"]
    ours = [each["experiment_id"] for each in found if each["name"] == experiment] if experiment else alive
    names = store.names()
    return Facts(
        runs=tuple(_runs(client, [each for each in ours if each in alive], "ACTIVE_ONLY")),
        models=tuple(_models(client, alive)),
        registered=tuple(_versions(store, name, ours=model in (None, name)) for name in names),
        deleted_runs=tuple(_runs(client, [each["experiment_id"] for each in found], "DELETED_ONLY")),
        deleted_experiments=tuple(each["name"] for each in found if each["lifecycle_stage"] != "active"),
    )


# ----------------------------------------------------------------------------------------------------------------------


def _runs(client: Client, experiments: Sequence[str], view: str) -> Iterator[Run]:
    if not experiments:
        return
    asked = {"experiment_ids": list(experiments), "run_view_type": view, "max_results": _PAGE}
    for raw in _pages(client, "runs/search", "runs", asked):
        info, data = raw["info"], raw.get("data", {})
        tags = {tag["key"]: tag["value"] for tag in data.get("tags", ())}
        yield Run(
            run_id=info["run_id"],
            experiment_id=info["experiment_id"],
            started=int(info.get("start_time", 0)) / 1000,
            artifacts=info.get("artifact_uri", ""),
            parent=tags.get(_PARENT, ""),
            running=info.get("status") in _RUNNING,
        )


def _models(client: Client, experiments: Sequence[str]) -> Iterator[LoggedModel]:
    if not experiments:
        return
    asked = {"experiment_ids": list(experiments), "max_results": _MODELS_PAGE}
    for raw in _pages(client, "logged-models/search", "models", asked):
        info = raw["info"]
        yield LoggedModel(
            model_id=info["model_id"], run_id=info.get("source_run_id", ""), artifacts=info.get("artifact_uri", "")
        )


def _versions(store: VersionStore, name: str, *, ours: bool) -> Versions:
    moved = [event.after for event in history(store, name) if event.valid and event.kind in _MOVED]
    champions = tuple(number for number in reversed(moved) if number is not None)
    return Versions(name=name, ours=ours, versions=store.versions(name), champions=champions)


def _pages(client: Client, path: str, key: str, asked: dict[str, Any]) -> Iterator[Any]:
    body = dict(asked)
    while True:
        page = client.post(path, body)
        yield from page.get(key, ())
        if not page.get("next_page_token"):
            return
        body["page_token"] = page["next_page_token"]
