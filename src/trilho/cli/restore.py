"""trilho restore: a backup becomes a tracking server's database and artifacts again."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile
from trilho.cli.stored import Artifacts, Database, Stores, stores
from trilho.errors import BackupFailed

if TYPE_CHECKING:
    from trilho.platform.backup import Counts, Plan

_SHOWN = 10


def restore(
    file: Annotated[Path, typer.Argument(help="What trilho backup wrote.")],
    force: Annotated[
        bool, typer.Option("--force", help="Replace what is there; it is backed up beside FILE first.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check the file and the target, show what would be done, write nothing.")
    ] = False,
    backend_store_uri: Database = None,
    artifacts_destination: Artifacts = None,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Put a backup back, here or on a team's server. Stop the server before.

    The whole file is checked before anything is written. A backup of SQLite and a folder also fits PostgreSQL or MySQL
    and S3. After a kill, the same command goes on.
    """
    from trilho.cli import output
    from trilho.cli.backup import megabytes, saved_json
    from trilho.cli.hidden_password import hide_password
    from trilho.platform.backup import restore as put_back

    hide_password(backend_store_uri)
    where = stores(backend_store_uri, artifacts_destination, project, profile, overrides)
    if not dry_run:
        _check_stopped(where)
    plans: list[Plan] = []

    def show(plan: Plan) -> None:
        plans.append(plan)
        if not json:
            _show(plan)

    done = put_back(file, where.database, where.artifacts, force=force, dry_run=dry_run, show=show, say=output.progress)
    plan = plans[0]
    if json:
        facts = {
            "file": str(file),
            "database": plan.database.shown,
            "artifacts": plan.artifacts,
            "in_the_way": plan.in_the_way,
            "resumes": plan.resumes,
            "manifest": plan.manifest.to_json(),
            "found": asdict(done.found) if done else None,
            "rewritten": done.changed if done else 0,
            "before": saved_json(done.before) if done and done.before else None,
        }
        output.as_json(facts)
        return
    if done is None:
        output.state("Whole", f"{file} can be restored" + (" with --force." if plan.in_the_way else "."))
        return
    output.plain()
    for name, expected in asdict(plan.manifest.counts).items():
        found = asdict(done.found)[name]
        shown = (megabytes(expected), megabytes(found)) if name == "bytes" else (str(expected), str(found))
        output.line(name, shown[0], f"in the backup, {shown[1]} now")
    output.plain()
    output.state("Restored", f"{plan.database.shown} and {plan.artifacts} in {done.seconds:.1f} s")
    if _more(plan.manifest.counts, done.found):
        output.state("Kept", "artifacts that were there before and are not in the backup")
    if done.before is not None and done.before.manifest.damaged:
        output.state("Kept", f"{done.before.file}: the damaged database, to look at. No restore takes it")
    elif done.before is not None:
        output.state("Undo", f"trilho restore {done.before.file} --force")
    if where.state_dir is not None:
        output.state("Start", "trilho up")


def _more(expected: Counts, found: Counts) -> bool:
    return found.artifacts > expected.artifacts


def _show(plan: Plan) -> None:
    from trilho.cli import output
    from trilho.cli.backup import contents

    manifest = plan.manifest
    output.line("made", manifest.made, f"by trilho {manifest.trilho}, MLflow {manifest.mlflow}", status_width=25)
    contents(manifest)
    output.line("into", plan.database.shown)
    output.line("and", plan.artifacts)
    if plan.resumes:
        output.line("goes on", "a restore of this backup that was interrupted")
    if plan.in_the_way:
        output.line("there", plan.in_the_way)
    for move in manifest.moves[:_SHOWN]:
        output.line("location", f"{move.before} → {move.after}")
    if len(manifest.moves) > _SHOWN:
        output.line("", "…", f"and {len(manifest.moves) - _SHOWN} more (--json shows all)")


def _check_stopped(where: Stores) -> None:
    """A server that runs would go on with the database that was taken from under it."""
    from trilho.platform import status
    from trilho.platform.tracking import NAME

    if where.state_dir is not None and status(where.state_dir, NAME).state not in ("stopped", "dead"):
        raise BackupFailed(
            "The project's tracking server is running.",
            state="Nothing was changed.",
            why="It would go on with the database that is replaced.",
            remedy="trilho down, then the same command again.",
        )
