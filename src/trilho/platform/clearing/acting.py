"""Delete what was chosen, with MLflow's own means: its server marks, then its store removes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trilho.errors import BackupFailed, ServerRefused, TrilhoError, VersionNotFound
from trilho.platform.backup.opening import open_store
from trilho.platform.clearing.choosing import Choice
from trilho.platform.clearing.proof import prove_same
from trilho.platform.clearing.rows import holds_anything, in_use
from trilho.platform.database_address import DatabaseAddress
from trilho.platform.service import Say, silent
from trilho.registry import Version, VersionStore
from trilho.wire import Client

if TYPE_CHECKING:
    from trilho.tracking.removing import Remover

_PROXIED = "mlflow-artifacts:/"


@dataclass(kw_only=True)
class Cleared:
    """What was done. `stayed` came into use since it was chosen: a version with a new alias, a run of a new version."""

    versions: int = 0
    models: int = 0
    runs: int = 0
    experiments: int = 0
    bytes: int = 0  # of artifacts, by their sizes before and after
    stayed: list[str] = field(default_factory=list)


def clear(
    choice: Choice,
    *,
    client: Client,
    store: VersionStore,
    database: DatabaseAddress,
    artifacts: str,
    say: Say = silent,
) -> Cleared:
    """Remove what was chosen, one after the other: each is marked, then removed, unless it is in use by now.

    Models go before the runs that made them: a database refuses to lose a run that a model's metrics name.

    Raises:
        BackupFailed: the database is not the server's, or does not answer.
        ServerUnreachable, ServerRefused: the error says what is removed; the same command goes on.
    """
    from trilho.tracking.removing import removing

    prove_same(client, database, choice.runs[0].experiment_id if choice.runs else "")
    before = size_of(choice, artifacts)
    done = Cleared()
    with removing(database.uri, client.address) as remover:
        try:
            _remove_all(choice, done, remover, client=client, store=store, database=database, say=say)
        except TrilhoError as error:
            error.state = (
                f"Gone are {done.versions} versions, {done.models} models and {done.runs} runs. What it stopped at is "
                "marked as deleted and may have lost files; nothing else was touched."
            )
            raise
    done.bytes = before - size_of(choice, artifacts)
    return done


def size_of(choice: Choice, artifacts: str) -> int:
    """Bytes of the artifacts of all that goes, as they are in the store now."""
    places = {run.artifacts for run in (*choice.runs, *choice.marked)} | {model.artifacts for model in choice.models}
    return sum(_sizes(sorted(places), artifacts))


# ----------------------------------------------------------------------------------------------------------------------


def _remove_all(
    choice: Choice,
    done: Cleared,
    remover: Remover,
    *,
    client: Client,
    store: VersionStore,
    database: DatabaseAddress,
    say: Say,
) -> None:
    for version in choice.versions:
        if _delete_version(client, store, version):
            done.versions += 1
        else:
            done.stayed.append(f"{version.name} v{version.number}")
    say(f"Removing {len(choice.models)} models")
    for model in choice.models:
        if in_use(database, model.model_id):
            done.stayed.append(f"model {model.model_id}")
            continue
        if not model.deleted:
            _unless_gone(client.delete, f"logged-models/{model.model_id}", {})
        done.models += remover.model(model.model_id)
    runs, marked = (*choice.marked, *choice.runs), set(choice.marked)
    say(f"Removing {len(runs)} runs")
    for run in runs:
        if in_use(database, run.run_id):
            done.stayed.append(f"run {run.run_id}")
            continue
        if run not in marked:
            _unless_gone(client.post, "runs/delete", {"run_id": run.run_id})
        done.runs += remover.run(run.run_id)
    for experiment in choice.experiments:
        if holds_anything(database, experiment.experiment_id):
            done.stayed.append(f"experiment {experiment.name}")
            continue
        done.experiments += remover.experiment(experiment.experiment_id)


def _sizes(places: Iterable[str], artifacts: str) -> Iterable[int]:
    own = open_store(artifacts)
    for place in places:
        if place.startswith(_PROXIED):
            yield sum(found.size for found in own.files(place.removeprefix(_PROXIED).strip("/")))
        elif place:
            try:
                yield sum(found.size for found in open_store(place).files())
            except BackupFailed:  # on another machine, or in a store that cannot be listed from here
                continue


def _delete_version(client: Client, store: VersionStore, version: Version) -> bool:
    """False where somebody put it to use since it was chosen."""
    try:
        if store.get(version.name, version.number).aliases:
            return False
    except VersionNotFound:  # deleted by somebody else
        return True
    body = {"name": version.name, "version": str(version.number)}
    _unless_gone(client.delete, "model-versions/delete", body)
    return True


def _unless_gone(ask: Callable[[str, dict[str, Any]], object], path: str, body: dict[str, Any]) -> None:
    try:
        ask(path, body)
    except ServerRefused as error:
        if error.status != 404:  # deleted by somebody else
            raise
