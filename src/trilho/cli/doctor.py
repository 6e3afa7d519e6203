"""trilho doctor: what is wrong with the server, the stores and the containers of a project, and what to do."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project
from trilho.cli.stored import Artifacts, Database

if TYPE_CHECKING:
    from trilho.platform.doctor import Finding, Relocated, Relocation, Site


def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Show how artifact locations that are paths would be put behind the server.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --fix: do it, after a copy of the database.")] = False,
    files: Annotated[
        list[str] | None,
        typer.Option("--files", metavar="OLD=NEW", help="With --fix: files at path OLD are at NEW on this machine."),
    ] = None,
    backend_store_uri: Database = None,
    artifacts_destination: Artifacts = None,
    prometheus: Annotated[str, typer.Option(help="The address of Prometheus (PROMETHEUS_URL).")] = "",
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Look for what is known to go wrong, and say what to do.

    A healthy system gives one line and exit code 0. What is looked at depends on what is known: on the server's machine
    also its database and artifacts.
    """
    from trilho.cli import output
    from trilho.cli.exits import FAILED
    from trilho.platform.doctor import CHECKS, examine

    moved = _moved(files or [])
    if (yes or moved) and not fix:
        raise typer.BadParameter("--yes and --files belong to --fix.")
    site = _site(project, profile, overrides, backend_store_uri or "", artifacts_destination or "", prometheus)
    if fix:
        _fix(site, moved, act=yes, json=json)
        return
    found = examine(site, CHECKS)
    wrong = [finding for finding in found if finding.state == "trouble"]
    if json:
        output.as_json({"healthy": not wrong, "checks": [asdict(finding) for finding in found]})
    else:
        _show(found)
    if wrong:
        raise typer.Exit(FAILED)


# ---------------------------------------------------------------------------------------------------------------------


def _site(
    folder: Path,
    profile: str | None,
    overrides: list[str] | None,
    backend_store_uri: str,
    artifacts_destination: str,
    prometheus: str,
) -> Site:
    """The project's; without one, what the options and the environment name: on a server's machine."""
    from trilho.errors import ProjectNotFound
    from trilho.platform.doctor import site_of

    try:
        project = load_project(folder, profile, overrides)
    except ProjectNotFound:
        named = ("MLFLOW_TRACKING_URI", "MLFLOW_BACKEND_STORE_URI", "MLFLOW_ARTIFACTS_DESTINATION", "PROMETHEUS_URL")
        if not (backend_store_uri or artifacts_destination or prometheus or any(map(os.environ.get, named))):
            raise
        project = None
    return site_of(
        project,
        folder=folder,
        backend_store_uri=backend_store_uri,
        artifacts_destination=artifacts_destination,
        prometheus=prometheus,
    )


def _moved(pairs: list[str]) -> dict[str, str]:
    moved = {}
    for pair in pairs:
        before, equals, now = pair.partition("=")
        if not before or not equals or not now:
            raise typer.BadParameter(f"--files {pair}: write OLD=NEW, such as /mlruns=./mlruns")
        moved[before] = str(Path(now).resolve())
    return moved


def _show(found: tuple[Finding, ...]) -> None:
    from trilho.cli import output
    from trilho.platform.doctor.finding import counted

    wrong = [finding for finding in found if finding.state == "trouble"]
    unsure = [finding for finding in found if finding.state == "unknown"]
    for finding in (*wrong, *unsure):
        output.state(finding.state, finding.name)
        for name in ("measured", "expected", "remedy"):
            first, *rest = getattr(finding, name).split("\n")
            if first:
                output.line(name, first, width=10)
            for more in rest:
                output.line("", more, width=10)
        output.plain()
    fine = sum(finding.state == "ok" for finding in found)
    if wrong:
        output.plain(f"{len(wrong)} in trouble, {fine} fine. Each is explained in docs/guides/troubleshooting.md")
    elif unsure:
        output.plain(f"{counted(fine, 'check')} found nothing wrong, {len(unsure)} could not tell.")
    else:
        output.plain(f"Healthy: {counted(fine, 'check')} found nothing wrong.")


def _fix(site: Site, moved: Mapping[str, str], *, act: bool, json: bool) -> None:
    from trilho.cli import output
    from trilho.cli.exits import FAILED
    from trilho.platform.doctor.relocating import relocate
    from trilho.platform.doctor.relocation import plan_relocation

    plan = plan_relocation(site, elsewhere=moved)
    done = None
    if not json:
        _show_plan(plan)
    if act and plan.moved:
        file = plan.database.file
        done = relocate(plan, backup_in=file.parent if file else site.root, say=output.progress)
    if json:
        output.as_json(_plan_json(plan, done))
    elif done is not None:
        output.state("Done", f"{done.rows} locations rewritten, {done.files} files moved to {plan.destination}")
        output.state("Backup", f"{done.backup}: the database as it was, and moves.json")
        output.state("Next", f"start the server with --artifacts-destination {plan.destination}, and without")
        output.state("", "--default-artifact-root; then: trilho doctor")
    elif plan.moved:
        output.state("Do it", "the same command with --yes; a copy of the database is made first")
    if plan.lost or (plan.moved and done is None):
        raise typer.Exit(FAILED)


def _show_plan(plan: Relocation) -> None:
    from trilho.cli import output
    from trilho.platform.doctor.finding import counted

    if not plan.experiments:
        output.plain(f"Nothing to fix: every artifact location in {plan.database.shown} is behind the server.")
        return
    for found in plan.moved:
        facts = f"{counted(found.runs, 'run')}, {counted(found.files, 'file')}, {found.bytes / 1e6:.1f} MB"
        output.state(found.name, f"{found.before} → {found.after}")
        output.line("", facts, width=8)
    for found in plan.lost:
        output.state(found.name, f"{found.before} stays: there is no {found.lost} on this machine")
        output.line("", "say where its files are: --files OLD=NEW; if they are lost, name an empty folder", width=8)
    if plan.moved:
        output.state("Files go to", plan.destination)
    output.plain()


def _plan_json(plan: Relocation, done: Relocated | None) -> dict[str, Any]:
    return {
        "database": plan.database.shown,
        "destination": plan.destination,
        "experiments": [asdict(found) for found in plan.experiments],
        "done": asdict(done) if done else None,
    }
