"""trilho status: what is stale, what runs here, who is champion."""

from __future__ import annotations

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project


def status(project: Folder = HERE, profile: Profile = None, overrides: Overrides = None, json: AsJson = False) -> None:
    """Show what is stale, and why. Also which services run, what waits to be sent, and the champion.

    A server that is away is no failure; one that refuses us is.
    """
    from trilho import platform, registry, steps, tracking, wire
    from trilho.cli import output
    from trilho.cli.exits import DONE, FAILED
    from trilho.cli.worded import step_json, version_json
    from trilho.errors import ServerUnreachable
    from trilho.shown_address import without_password
    from trilho.steps.facts import counted

    file = load_project(project, profile, overrides)
    services = platform.statuses(file.state_dir)
    address = file.tracking_uri or next((one.address for one in services if one.name == "tracking" and one.running), "")

    def find() -> str:
        if not address:
            raise ServerUnreachable("The tracking server is not running: trilho up", remedy="trilho up")
        return address

    with wire.Line(find, seconds=wire.CONNECT_SECONDS, say=lambda _: None) as line:
        champion = line.ask(lambda client: registry.champion(registry.open_store(client), file.register.name))

        def confirm(entry: steps.Entry) -> str:
            told = line.ask(lambda client: steps.standing(file, registry.open_store(client), entry))
            return (told or steps.standing(file, None, entry)).problem

        results = list(steps.look(file, confirm=confirm))
    problem, ends = line.trouble, FAILED if line.refused else DONE
    waiting = len(tracking.waiting(file.state_dir / "spool"))
    if json:
        output.as_json(
            {
                "steps": [step_json(result) for result in results],
                "services": [vars(service) for service in services],
                "waiting": waiting,
                "champion": version_json(champion) if champion else None,
                "problem": problem or None,
            }
        )
        raise typer.Exit(ends)
    output.plain(f"{file.name}, profile {file.profile}\n")
    for result in results:
        output.line(result.step, "fresh" if result.status == "reused" else "stale", result.facts or result.reason)
    output.plain()
    for service in services:
        output.state(service.name, f"{service.address}, pid {service.pid}" if service.running else "not running")
    if file.tracking_uri:
        output.state("tracking", without_password(file.tracking_uri))
    if waiting:
        output.state("Waiting", f"{counted(waiting, 'run')} not sent yet: trilho sync")
    if champion is not None:
        output.state("Champion", f"{champion.name} v{champion.number}")
    else:
        output.state("Champion", problem or "none yet: trilho run")
    raise typer.Exit(ends)
