"""Delete what was chosen, with MLflow's own means: it marks, then its gc removes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from trilho.errors import BackupFailed, ServerRefused
from trilho.platform.backup.opening import open_store
from trilho.platform.clearing.choosing import Choice
from trilho.platform.clearing.facts import Facts
from trilho.platform.database_address import DatabaseAddress
from trilho.platform.service import Say, silent
from trilho.registry import Version, VersionStore
from trilho.wire import Client

_PROXIED = "mlflow-artifacts:/"


@dataclass(frozen=True, kw_only=True)
class Cleared:
    """What was done. `skipped` are versions that somebody gave an alias meanwhile."""

    versions: int
    runs: int
    models: int
    bytes: int  # of artifacts, by their sizes before and after
    skipped: tuple[Version, ...]


def clear(
    choice: Choice,
    facts: Facts,
    *,
    client: Client,
    store: VersionStore,
    database: DatabaseAddress,
    artifacts: str,
    say: Say = silent,
) -> Cleared:
    """Remove what was chosen, and what was deleted before in MLflow.

    Models go before the runs that made them: a database refuses to lose a run that a model's metrics name.

    Raises:
        ServerUnreachable, ServerRefused: what was not removed yet is marked as deleted; the same command goes on.
    """
    from trilho.tracking.removing import remove_deleted

    for run in choice.revived:
        client.post("runs/restore", {"run_id": run.run_id})
    before = size_of(choice, facts, artifacts)
    skipped = [version for version in choice.versions if not _delete_version(client, store, version)]
    needed = {version.run_id for version in skipped}
    say(f"Removing {len(choice.models)} models")
    models = [model for model in choice.models if model.run_id not in needed]
    for model in models:
        client.delete(f"logged-models/{model.model_id}", {})
    server = client.address.shown
    remove_deleted(database.uri, server)
    say(f"Removing {len(choice.runs)} runs")
    runs = [run for run in choice.runs if run.run_id not in needed]
    for run in runs:
        client.post("runs/delete", {"run_id": run.run_id})
    remove_deleted(database.uri, server)
    return Cleared(
        versions=len(choice.versions) - len(skipped),
        runs=len(runs) + len(facts.deleted_runs) - len(choice.revived),
        models=len(models),
        bytes=before - size_of(choice, facts, artifacts),
        skipped=tuple(skipped),
    )


def size_of(choice: Choice, facts: Facts, artifacts: str) -> int:
    """Bytes of the artifacts of all that goes, as they are in the store now."""
    places = {run.artifacts for run in (*choice.runs, *facts.deleted_runs)} - {run.artifacts for run in choice.revived}
    places |= {model.artifacts for model in choice.models}
    return sum(_sizes(sorted(places), artifacts))


# ----------------------------------------------------------------------------------------------------------------------


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
    if store.get(version.name, version.number).aliases:
        return False
    try:
        client.delete("model-versions/delete", {"name": version.name, "version": str(version.number)})
    except ServerRefused as error:
        if error.status != 404:  # deleted by somebody else
            raise
    return True
