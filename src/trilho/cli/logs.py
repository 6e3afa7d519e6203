"""trilho logs: what a service wrote."""

from __future__ import annotations

import contextlib
from typing import Annotated

import typer

from trilho.cli.options import HERE, Folder, Overrides, Profile, load_project


def logs(
    name: Annotated[str, typer.Argument(help="The service, as trilho ps names it.")] = "tracking",
    lines: Annotated[int, typer.Option("-n", "--lines", min=0, help="How many of the last lines.")] = 50,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Go on with new lines until Ctrl-C.")] = False,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
) -> None:
    """Print the end of a service's log."""
    from trilho import platform
    from trilho.cli import output

    file = load_project(project, profile, overrides)
    log = platform.log_path(file.state_dir, name)
    if not log.exists():
        platform.check_name(name, platform.known_names(file))
        output.progress(f"{name} has written nothing yet: {log}")
    for line in platform.tail(log, lines):
        typer.echo(line)
    if follow:
        with contextlib.suppress(KeyboardInterrupt):
            for line in platform.follow(log):
                typer.echo(line)
