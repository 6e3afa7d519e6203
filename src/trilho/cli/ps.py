"""trilho ps: how the project's services are."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project

if TYPE_CHECKING:
    from trilho.platform import Status


def ps(
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Show the project's services: address, process, memory."""
    from trilho import platform
    from trilho.cli import output
    from trilho.shown_address import without_password

    file = load_project(project, profile, overrides)
    statuses = platform.statuses(file.state_dir, platform.services(file))
    if json:
        output.as_json({"services": [status_json(status) for status in statuses]})
        return
    if file.tracking_uri:
        output.line("tracking", "elsewhere", f"profile {file.profile}: {without_password(file.tracking_uri)}")
    for status in statuses:
        output.line(status.name, status.state, "  ".join(shown(status)))
        if status.state in ("dead", "not answering"):
            output.line("", "why", f"trilho logs {status.name}")
            output.line("", "again", "trilho up" if status.state == "dead" else "trilho down, then trilho up")


def shown(status: Status) -> list[str]:
    """A service in one line."""
    facts = [status.address] if status.address else []
    if status.pid is not None:
        facts.append(f"process {status.pid}")
    if status.since is not None:
        facts.append("since " + time.strftime("%Y-%m-%d %H:%M", time.localtime(status.since)))
    if status.memory is not None:
        facts.append(f"{status.memory / 1e6:.0f} MB")
    return facts


def status_json(status: Status) -> dict[str, object]:
    """A service's status as plain values."""
    return {
        "name": status.name,
        "state": status.state,
        "address": status.address,
        "pid": status.pid,
        "since": status.since,
        "memory_bytes": status.memory,
        "log": str(status.log),
    }
