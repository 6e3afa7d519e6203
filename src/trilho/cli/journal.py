"""trilho journal: what was predicted and kept, and how to make it forget."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project

if TYPE_CHECKING:
    from trilho.journal import Keeper, Kept, Summary
    from trilho.project import ProjectFile


def journal(
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="[forget ID... | tidy]", help="Nothing: show what it holds.", show_default=False),
    ] = None,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Show what the prediction journal holds. Or forget predictions by id; or tidy it up where no server does.

    A forgotten prediction is read by nobody from that moment on. Its row leaves the disk when a server next tidies up
    (every few seconds), or with: trilho journal tidy

    Example: trilho journal forget 9f1c02-7-0
    """
    from trilho import journal as kept
    from trilho.cli import output

    file = load_project(project, profile, overrides)
    folder = file.state_dir / "journal"
    verb, *ids = what or [""]
    if verb == "forget" and ids:
        count = kept.forget(folder, ids)
        if json:
            output.as_json({"forgotten": count})
        else:
            output.state("Forgotten", f"{count:,} {'prediction' if count == 1 else 'predictions'}")
            output.state("Off disk", "when a server next tidies up; without one: trilho journal tidy")
    elif verb == "tidy" and not ids:
        state = keeper(file).tidy(time.time())
        _show_tidied(state, json=json)
    elif not verb:
        _show(kept.summarize(folder), str(folder), json=json)
    else:
        raise typer.BadParameter("say: trilho journal, trilho journal forget ID..., or trilho journal tidy")


def keeper(file: ProjectFile) -> Keeper:
    """Who looks after the journal of a project, as its settings want it."""
    from trilho.journal import Keeper

    return Keeper(file.state_dir / "journal", max_bytes=file.journal.max_bytes, keep=file.journal.keep)


# ----------------------------------------------------------------------------------------------------------------------


def _show(found: Summary, folder: str, *, json: bool) -> None:
    from trilho.cli import output
    from trilho.cli.worded import moment

    if json:
        versions = [{"model": name, "version": number, "rows": rows} for (name, number), rows in found.versions.items()]
        output.as_json({**vars(found), "versions": versions, "folder": folder})
        return
    if not found.rows and not found.labels:
        output.state("Journal", f"{folder} is empty: trilho serve fills it")
        return
    output.state("Journal", folder)
    output.state("Rows", f"{found.rows:,}, {found.bytes / 1e6:,.1f} MB in {found.files:,} files")
    if found.first is not None and found.last is not None:
        output.state("From", f"{moment(found.first)} to {moment(found.last)}")
    for (name, number), rows in found.versions.items():
        output.state("", f"{name} v{number}: {rows:,}")
    repeated = f", {found.repeated:,} of them given again" if found.repeated else ""
    unmatched = f", {found.unmatched:,} for predictions that are not in it" if found.unmatched else ""
    output.state("Labels", f"{found.labels:,}{repeated}{unmatched}")
    if found.forgetting:
        output.state("Forgetting", "some rows are still on the disk: trilho journal tidy")


def _show_tidied(state: Kept, *, json: bool) -> None:
    from trilho.cli import output

    if json:
        output.as_json(vars(state))
    elif state.problem:
        output.state("Not done", state.problem)
    else:
        output.state(
            "Tidied", f"{state.closed:,} files closed, {state.deleted:,} deleted, {state.forgotten:,} rows out"
        )
    if state.problem:
        raise typer.Exit(1)
