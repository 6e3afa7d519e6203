"""trilho status: what is stale, what runs here, who is champion."""

from __future__ import annotations

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project


def status(project: Folder = HERE, profile: Profile = None, overrides: Overrides = None, json: AsJson = False) -> None:
    """Show which steps are stale and why, which services run, what waits to be sent, and the champion."""
    from trilho import platform, registry, steps, tracking, wire
    from trilho.cli import output
    from trilho.cli.worded import step_json, version_json
    from trilho.errors import ServerRefused, ServerUnreachable

    file = load_project(project, profile, overrides)
    services = platform.statuses(file.state_dir)
    address = file.tracking_uri or next((found.address for found in services if found.running), "")
    champion, problem = None, "the tracking server is not running (trilho up)"
    store = None
    if address:
        try:
            wire.probe(address)
            store = registry.open_store(wire.connect(address))
            champion, problem = registry.champion(store, file.register.name), ""
        except (ServerUnreachable, ServerRefused) as error:
            problem = error.what
    results = list(steps.look(file, confirm=lambda entry: steps.still_registered(file, store, entry)))
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
        return
    output.plain(f"{file.name}, profile {file.profile}\n")
    for result in results:
        output.line(result.step, "fresh" if result.status == "reused" else "stale", result.facts or result.reason)
    output.plain()
    for service in services:
        output.state(service.name, f"{service.address}, pid {service.pid}" if service.running else "not running")
    if file.tracking_uri:
        output.state("tracking", file.tracking_uri)
    if waiting:
        output.state("Waiting", f"{waiting} runs are not sent yet: trilho sync")
    if champion is not None:
        output.state("Champion", f"{champion.name} v{champion.number}")
    else:
        output.state("Champion", problem or "none yet: trilho run")
