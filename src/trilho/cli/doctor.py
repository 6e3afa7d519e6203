"""trilho doctor: what is wrong with the server, the stores and the containers of a project, and what to do."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project

if TYPE_CHECKING:
    from pathlib import Path

    from trilho.platform.doctor import Finding, Site


def doctor(
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    backend_store_uri: Annotated[
        str, typer.Option(help="The server's database, where doctor runs on its machine (MLFLOW_BACKEND_STORE_URI).")
    ] = "",
    artifacts_destination: Annotated[
        str, typer.Option(help="Where the server keeps artifacts, likewise (MLFLOW_ARTIFACTS_DESTINATION).")
    ] = "",
    prometheus: Annotated[str, typer.Option(help="The address of Prometheus (PROMETHEUS_URL).")] = "",
    json: AsJson = False,
) -> None:
    """Look for what is known to go wrong, and say what to do. A healthy system gives one line, and exit code 0."""
    from trilho.cli import output
    from trilho.cli.exits import FAILED
    from trilho.platform.doctor import CHECKS, examine

    site = _site(project, profile, overrides, backend_store_uri, artifacts_destination, prometheus)
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
    if not wrong and not unsure:
        output.plain(f"Healthy: {counted(fine, 'check')} found nothing wrong.")
    elif not wrong:
        output.plain(f"{counted(fine, 'check')} found nothing wrong, {len(unsure)} could not tell.")
    else:
        output.plain(f"{len(wrong)} in trouble, {fine} fine. Each is explained in docs/guides/troubleshooting.md")
