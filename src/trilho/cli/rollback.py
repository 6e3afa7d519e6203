"""trilho rollback: back to the champion before."""

from __future__ import annotations

from typing import Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, connected, load_project, version_number


def rollback(
    to: Annotated[
        int | None,
        typer.Argument(
            parser=version_number, metavar="VERSION", help="The one to go back to (default: the champion before)."
        ),
    ] = None,
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "rolled back by hand",
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Make the champion before champion again. No gate is asked: it was champion once."""
    from trilho import registry
    from trilho.cli import output
    from trilho.cli.worded import event_json

    file = load_project(project, profile, overrides)
    with connected(file) as client:
        store = registry.open_store(client)
        event = registry.rollback(
            store,
            file.register.name,
            who=client.address.signature,
            why=reason,
            to=to,
            stages=file.register.stages,
        )
    if json:
        output.as_json(event_json(event))
        return
    was = f", was v{event.before}" if event.before else ""  # none: the champion was removed by other means
    output.state("Rolled back", f"{file.register.name} v{event.after} is champion{was}")
    if event.before:
        output.state("Undo", f"trilho rollback {event.before}")
