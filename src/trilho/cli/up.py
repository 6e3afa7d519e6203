"""trilho up: start what the project needs on this machine."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project


def up(
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="The tracking server's port (default: 5000, or another if it is taken)."),
    ] = None,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Start the project's tracking server and wait until it answers; it outlives this terminal."""
    from trilho import platform
    from trilho.cli import output

    file = load_project(project, profile, overrides)
    begun = time.monotonic()
    facts = []
    for service in platform.services(file):
        running = platform.status(file.state_dir, service.name)
        record = platform.ensure(service, port=port, say=output.progress)
        facts.append(
            {
                "name": service.name,
                "address": record.address,
                "pid": record.pid,
                "already_running": running.state != "dead" and running.pid == record.pid,
                "seconds": round(time.monotonic() - begun, 2),
                "data": str(service.folder),
            }
        )
    if json:
        output.as_json({"services": facts, "tracking_uri": file.tracking_uri})
        return
    if not facts:
        output.state("Nothing", f"to start: profile {file.profile} uses the server at {file.tracking_uri}")
        return
    for fact in facts:
        how = "runs already" if fact["already_running"] else f"ready after {fact['seconds']:.1f} s"
        output.line(str(fact["name"]), f"{fact['address']}", how)
        output.line("", "data in", str(fact["data"]))
        if fact["already_running"] and port is not None and not str(fact["address"]).endswith(f":{port}"):
            output.line("", "not moved", f"trilho down first, then: trilho up --port {port}")
    output.plain()
    for fact in facts:
        if fact["name"] == "tracking":
            output.state("Scripts", f"MLFLOW_TRACKING_URI={fact['address']}")
    output.state("Look", "trilho ui")
    output.state("Stop", "trilho down")
