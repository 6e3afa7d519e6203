"""trilho gc: old runs and versions go for good."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, connected, load_project
from trilho.cli.stored import Artifacts, Database, stores

if TYPE_CHECKING:
    from trilho.platform.clearing import Choice, Facts

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
    in MLflow's page before goes, too.
    """
    from trilho.cli import output
    from trilho.cli.backup import megabytes
    from trilho.platform.clearing import choose, clear, look
    from trilho.platform.clearing.acting import size_of
    from trilho.registry import open_store

    file = load_project(project, profile, overrides)
    where = stores(backend_store_uri, artifacts_destination, project, profile, overrides)
    with connected(file) as client:
        store = open_store(client)
        facts = look(
            client,
            store,
            experiment=None if everything else file.experiment,
            model=None if everything else file.register.name,
        )
        choice = choose(facts, keep)
        done = None
        if yes:
            done = clear(
                choice,
                facts,
                client=client,
                store=store,
                database=where.database,
                artifacts=where.artifacts,
                say=output.progress,
            )
        freed = done.bytes if done else size_of(choice, facts, where.artifacts)
    if json:
        output.as_json({**_choice_json(choice, facts), "deleted": yes, "bytes": freed})
        return
    _show(choice, facts)
    if choice.empty and not facts.deleted_runs and not facts.deleted_experiments:
        output.state("Nothing", "is older than what is kept.")
    elif done is None:
        output.state("Would free", f"{megabytes(freed)} of artifacts. Nothing was changed.")
        output.state("Do it", f"trilho gc --keep {keep} --yes   (a backup first: trilho backup FILE)")
    else:
        for version in done.skipped:
            output.line("kept", f"{version.name} v{version.number}", "got an alias meanwhile")
        output.state("Freed", f"{megabytes(freed)} of artifacts; {done.runs} runs, {done.versions} versions are gone.")


def _show(choice: Choice, facts: Facts) -> None:
    from trilho.cli import output

    gone = [f"{version.name} v{version.number}" for version in choice.versions]
    output.line("versions", str(len(gone)), _some(gone))
    output.line("runs", str(len(choice.runs)), _some([run.run_id for run in choice.runs]))
    output.line("models", str(len(choice.models)), _some([model.model_id for model in choice.models]))
    if left := len(facts.deleted_runs) - len(choice.revived):
        output.line("before", f"{left} runs", "were deleted in MLflow and still take up room")
    for run in choice.revived:
        output.line("back", run.run_id, "was deleted in MLflow, but a version that stays came from it")
    for name in facts.deleted_experiments:
        output.line("before", "experiment", f"{name} was deleted in MLflow")
    for (name, number), reason in choice.kept.items():
        output.line("kept", f"{name} v{number}", reason)


def _some(names: list[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _choice_json(choice: Choice, facts: Facts) -> dict[str, Any]:
    return {
        "versions": [{"name": version.name, "version": version.number} for version in choice.versions],
        "runs": [run.run_id for run in choice.runs],
        "models": [model.model_id for model in choice.models],
        "deleted_before": {
            "runs": [run.run_id for run in facts.deleted_runs],
            "experiments": list(facts.deleted_experiments),
        },
        "revived": [run.run_id for run in choice.revived],
        "kept": [{"name": name, "version": number, "why": reason} for (name, number), reason in choice.kept.items()],
    }
