"""Ask a tracking server what it holds, and its database what the server does not say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from trilho.platform.clearing.facts import Experiment, Facts, Run, Versions
from trilho.platform.clearing.rows import read_rows
from trilho.platform.database_address import DatabaseAddress
from trilho.registry import VersionStore, history
from trilho.wire import Client

_PAGE = 1000
_PARENT = "mlflow.parentRunId"
_RUNNING = ("RUNNING", "SCHEDULED")
_MOVED = ("promoted", "rolled back", "adopted")


def look(
    client: Client, store: VersionStore, database: DatabaseAddress, *, experiment: str | None, model: str | None
) -> Facts:
    """What there is of one experiment and one registered model (None: of all), and what was deleted on the server.

    Models are those of all experiments.

    Raises:
        BackupFailed: the database does not answer, or has other tables than the installed MLflow knows.
        ServerUnreachable, ServerRefused: the server does not answer, or not to us.
    """
    rows = read_rows(database)
    found = list(_pages(client, "experiments/search", "experiments", {"view_type": "ALL", "max_results": _PAGE}))
    alive = [each["experiment_id"] for each in found if each["lifecycle_stage"] == "active"]
    dead = {each["experiment_id"]: each["name"] for each in found if each["lifecycle_stage"] != "active"}
    ours = [each["experiment_id"] for each in found if each["name"] == experiment] if experiment else alive
    occupied = {run.experiment_id for run in _runs(client, list(dead), "ACTIVE_ONLY")}
    return Facts(
        runs=tuple(_runs(client, [each for each in ours if each in alive], "ACTIVE_ONLY")),
        models=rows.models,
        registered=tuple(_versions(store, name, ours=model in (None, name)) for name in store.names()),
        deleted_runs=tuple(_runs(client, [*alive, *dead], "DELETED_ONLY")),
        deleted_experiments=tuple(
            Experiment(experiment_id=each, name=name, occupied=each in occupied) for each, name in dead.items()
        ),
        named=rows.named,
        measured=rows.measured,
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
