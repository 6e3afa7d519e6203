"""trilho backup: database and artifacts of the tracking server, as one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile
from trilho.cli.stored import Artifacts, Database, stores

if TYPE_CHECKING:
    from trilho.platform.backup import Manifest, Saved

_SHOWN = 5
_WIDTH = 10  # of "postgresql"


def backup(
    file: Annotated[Path, typer.Argument(help="Where nothing is yet, such as backup-2026-11-21.tar.zst.")],
    backend_store_uri: Database = None,
    artifacts_destination: Artifacts = None,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Copy database and artifacts into one file. The tracking server goes on running.

    The copy is consistent: what was logged before the command began is in it whole. Where files are missing or cannot
    be read, the copy is kept, says what it lacks, and the command ends with 1.
    """
    from trilho.cli import output
    from trilho.cli.exits import FAILED
    from trilho.cli.hidden_password import hide_password
    from trilho.platform.backup import back_up

    hide_password(backend_store_uri)
    where = stores(backend_store_uri, artifacts_destination, project, profile, overrides)
    saved = back_up(file, where.database, where.artifacts, say=output.progress)
    if json:
        output.as_json(saved_json(saved))
    else:
        contents(saved.manifest)
        written = f"{file}, {megabytes(saved.bytes)} in {saved.seconds:.1f} s"
        output.state("Saved" if saved.complete else "Incomplete", written)
        output.state("Check", f"trilho restore {file} --dry-run")
    if not saved.complete:
        raise typer.Exit(FAILED)


def contents(manifest: Manifest) -> None:
    """What is in a backup, a fact a line."""
    from trilho.cli import output

    counts = manifest.counts
    rows = f"{counts.experiments} experiments, {counts.runs} runs, {counts.versions} versions"
    output.line(
        "database",
        manifest.database,
        rows if not manifest.damaged else "damaged; its files are kept",
        status_width=_WIDTH,
    )
    output.line("artifacts", f"{counts.artifacts} files", megabytes(counts.bytes), status_width=_WIDTH)
    if manifest.later:
        output.line("later", f"{len(manifest.later)} files", "came after the database was copied; they are in it, too")
    for label, why, found in (
        ("missing", "had no files when it was backed up", manifest.missing),
        ("left out", "cannot be read from this machine; its location stays", manifest.left_out),
    ):
        for name in found[:_SHOWN]:
            output.line(label, name, why)
        if len(found) > _SHOWN:
            output.line("", "…", f"and {len(found) - _SHOWN} more")


def saved_json(saved: Saved) -> dict[str, Any]:
    """The facts of a backup."""
    return {
        "file": str(saved.file),
        "bytes": saved.bytes,
        "seconds": round(saved.seconds, 3),
        "complete": saved.complete,
        "manifest": saved.manifest.to_json(),
    }


def megabytes(size: int) -> str:
    """A size for people."""
    return f"{size / 1e6:,.1f} MB".replace(",", " ")
