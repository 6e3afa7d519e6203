"""trilho up: start what the project needs on this machine."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project


def up(
    name: Annotated[str | None, typer.Argument(help="One service (default: all of them).")] = None,
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65_535, help="The tracking server's port (default: 5000, or another if it is taken)."),
    ] = None,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Start the project's services. Tracking server, model server, watcher: it returns when they answer.

    They outlive this terminal.
    """
    from trilho import platform
    from trilho.cli import output
    from trilho.settings import format_duration
    from trilho.shown_address import without_password

    file = load_project(project, profile, overrides)
    facts = []
    elsewhere = without_password(file.tracking_uri or "")
    found = platform.services(file)
    if name is not None:
        platform.check_name(name, [service.name for service in found])
    for service in found:
        if name not in (None, service.name):
            continue
        begun = time.monotonic()
        running = platform.status(file.state_dir, service.name)
        record = platform.ensure(service, port=port if service.name == "tracking" else None, say=output.progress)
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
        output.as_json({"services": facts, "tracking_uri": elsewhere or None})
        return
    if elsewhere:
        output.line("tracking", elsewhere, f"elsewhere, by profile {file.profile}")
    for fact in facts:
        how = "runs already" if fact["already_running"] else f"ready after {fact['seconds']:.1f} s"
        output.line(str(fact["name"]), f"{fact['address']}", how)
        output.line("", "data in", str(fact["data"]))
        moved = fact["name"] == "tracking" and port is not None
        if fact["already_running"] and moved and not str(fact["address"]).endswith(f":{port}"):
            output.line("", "not moved", f"trilho down first, then: trilho up --port {port}")
    output.plain()
    for fact in facts:
        if fact["name"] == "tracking":
            output.state("Scripts", f"MLFLOW_TRACKING_URI={fact['address']}")
            output.state("Look", "trilho ui")
        if fact["name"] == "serving":
            output.state("Ask", f"curl {fact['address']}/health")
        if fact["name"] == "monitor":
            output.state("Watched", f"every {format_duration(file.monitor.every)}: trilho monitor, trilho logs monitor")
    output.state("Stop", "trilho down")
