"""trilho doctor: what is wrong with the server, the stores and the containers of a project, and what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project
from trilho.cli.stored import Artifacts, Database

if TYPE_CHECKING:
    from trilho.platform.doctor import Finding, Site


def doctor(
    fix: Annotated[
        bool, typer.Option("--fix", help="Show what trilho itself can put right, artifact locations above all.")
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", help="With --fix: do it. Databases are copied first, no file is removed.")
    ] = False,
    files: Annotated[
        list[str] | None,
        typer.Option("--files", metavar="OLD=NEW", help="With --fix: files at path OLD are at NEW on this machine."),
    ] = None,
    without_files: Annotated[
        bool,
        typer.Option("--without-files", help="With --fix: rewrite locations that have no files here, too."),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="CHECK", help="With --fix: only what this check found. May be repeated."),
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
    from trilho.cli.fixing import run_fixes
    from trilho.cli.hidden_password import hide_password
    from trilho.platform.doctor import CHECKS, examine

    moved = _moved(files or [])
    if (yes or moved or without_files or only) and not fix:
        raise typer.BadParameter("--yes, --files, --without-files and --only belong to --fix.")
    _check_names(only or [])
    hide_password(backend_store_uri)
    site = _site(project, profile, overrides, backend_store_uri or "", artifacts_destination or "", prometheus)
    found = examine(site, CHECKS)
    if fix:
        run_fixes(site, found, moved, without_files=without_files, only=only or [], act=yes, json=json)
        return
    wrong = [finding for finding in found if finding.state == "trouble"]
    if json:
        output.as_json({"healthy": not wrong, "checks": [_facts(finding) for finding in found]})
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


def _check_names(names: list[str]) -> None:
    from trilho.platform.doctor import CHECKS

    known = [check.name for check in CHECKS]
    for name in names:
        if name not in known:
            raise typer.BadParameter(f"--only {name}: there is no such check. There are {', '.join(known)}.")


def _facts(finding: Finding) -> dict[str, str]:
    facts = {name: getattr(finding, name) for name in ("name", "state", "measured", "expected", "remedy")}
    return facts | ({"fix": finding.fix.does} if finding.fix else {})


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
        fixable = [finding.name for finding in wrong if finding.fix]
        if fixable:
            output.plain(f"trilho can put right: {', '.join(fixable)}. To see how: trilho doctor --fix")
    elif unsure:
        output.plain(f"{counted(fine, 'check')} found nothing wrong, {len(unsure)} could not tell.")
    else:
        output.plain(f"Healthy: {counted(fine, 'check')} found nothing wrong.")
