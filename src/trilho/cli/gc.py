"""trilho gc: old runs and versions go for good."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, connected, load_project
from trilho.cli.stored import Artifacts, Database, stores_of

if TYPE_CHECKING:
    from trilho.platform.clearing import Choice
    from trilho.project import ProjectFile
    from trilho.wire import Client

_SHOWN = 10


def gc(
    keep: Annotated[int, typer.Option(min=1, help="How many of the newest to keep, of runs and of versions.")],
    yes: Annotated[bool, typer.Option("--yes", help="Really delete. Without it nothing is changed.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="All experiments and models of the server, not only the project's.")
    ] = False,
    backend_store_uri: Database = None,
    artifacts_destination: Artifacts = None,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Delete old runs and versions for good. Their artifacts, too. Shows only, unless --yes.

    Kept are the newest, whatever has an alias, the last champions, and the runs that these came from. What was deleted
    in MLflow's page before goes, too, unless a version that stays needs it.

    With --all it needs no project: MLFLOW_TRACKING_URI, MLFLOW_BACKEND_STORE_URI and MLFLOW_ARTIFACTS_DESTINATION name
    the server.
    """
    from trilho.cli import output
    from trilho.cli.backup import megabytes
    from trilho.cli.hidden_password import hide_password
    from trilho.platform.clearing import choose, clear, look
    from trilho.platform.clearing.acting import size_of
    from trilho.registry import open_store

    hide_password(backend_store_uri)
    file = _project(project, profile, overrides, needed=not everything)
    where = stores_of(file, backend_store_uri, artifacts_destination)
    with connected(file) if file else _named_server() as client:
        store = open_store(client)
        facts = look(
            client,
            store,
            where.database,
            experiment=None if everything or file is None else file.experiment,
            model=None if everything or file is None else file.register.name,
        )
        choice = choose(facts, keep)
        done = None
        if yes and not choice.empty:
            done = clear(
                choice,
                client=client,
                store=store,
                database=where.database,
                artifacts=where.artifacts,
                say=output.progress,
            )
        freed = done.bytes if done else size_of(choice, where.artifacts)
    if json:
        output.as_json({**_choice_json(choice), "deleted": yes, "bytes": freed, "stayed": done.stayed if done else []})
        return
    _show(choice)
    if choice.empty:
        output.state("Nothing", "is older than what is kept.")
    elif done is None:
        output.state("Would free", f"{megabytes(freed)} of artifacts. Nothing was changed.")
        words = _again(project, profile, overrides, everything=everything)
        output.state("Do it", f"trilho gc --keep {keep}{words} --yes   (a backup first: trilho backup FILE)")
    else:
        for name in done.stayed:
            output.line("kept", name, "came into use meanwhile")
        counted = f"{done.versions} versions, {done.runs} runs, {done.models} models"
        output.state("Freed", f"{megabytes(freed)} of artifacts; {counted} are gone.")


def _project(folder: Path, profile: str | None, overrides: list[str] | None, *, needed: bool) -> ProjectFile | None:
    """None on a machine that has none, such as the server's: all of a server needs no project."""
    from trilho.errors import ProjectNotFound

    try:
        return load_project(folder, profile, overrides)
    except ProjectNotFound:
        if needed or not os.environ.get("MLFLOW_TRACKING_URI"):
            raise
        return None


def _named_server() -> Client:
    from trilho.wire import connect, probe

    address = os.environ["MLFLOW_TRACKING_URI"]
    probe(address)
    return connect(address)


def _again(folder: Path, profile: str | None, overrides: list[str] | None, *, everything: bool) -> str:
    """The same options, to paste; not the database's, which may hold a password."""
    words = ["--all"] if everything else []
    words += ["-C", str(folder)] if folder != HERE else []
    words += ["--profile", profile] if profile else []
    for each in overrides or ():
        words += ["--set", each]
    return "".join(f" {word}" for word in map(shlex.quote, words))


def _show(choice: Choice) -> None:
    from trilho.cli import output

    gone = [f"{version.name} v{version.number}" for version in choice.versions]
    output.line("versions", str(len(gone)), _some(gone))
    output.line("runs", str(len(choice.runs)), _some([run.run_id for run in choice.runs]))
    models = [model.model_id for model in choice.models if not model.deleted]
    output.line("models", str(len(models)), _some(models))
    for what, names in _before(choice).items():
        if names:
            output.line("before", f"{len(names)} {what}", f"deleted in MLflow, still take up room: {_some(names)}")
    for held in choice.held:
        output.line("kept", held.what, f"{held.name} was deleted in MLflow, but {held.why}")
    for (name, number), reason in choice.kept.items():
        output.line("kept", f"{name} v{number}", reason)


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _before(choice: Choice) -> dict[str, list[str]]:
    return {
        "runs": [run.run_id for run in choice.marked],
        "models": [model.model_id for model in choice.models if model.deleted],
        "experiments": [experiment.name for experiment in choice.experiments],
    }


def _choice_json(choice: Choice) -> dict[str, Any]:
    return {
        "versions": [{"name": version.name, "version": version.number} for version in choice.versions],
        "runs": [run.run_id for run in choice.runs],
        "models": [model.model_id for model in choice.models if not model.deleted],
        "deleted_before": _before(choice),
        "deleted_before_but_kept": [{"kind": held.what, "name": held.name, "why": held.why} for held in choice.held],
        "kept": [{"name": name, "version": number, "why": reason} for (name, number), reason in choice.kept.items()],
    }
