"""trilho down: end what trilho up started."""

from __future__ import annotations

from typing import Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project


def down(
    name: Annotated[str | None, typer.Argument(help="One service (default: all of them).")] = None,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Stop the project's services and all they started. Runs and models stay in .trilho/mlflow."""
    from trilho import platform
    from trilho.cli import output

    file = load_project(project, profile, overrides)
    known = platform.known_names(file)
    if name is not None:
        platform.check_name(name, known)
    chosen = [name] if name else known
    # From the last to the first: what looks something up at the tracking server must not bring it back.
    ended = {each: platform.stop(file.state_dir, each, say=output.progress) for each in reversed(chosen)}
    stopped = {each: ended[each] for each in chosen}
    if json:
        output.as_json({"services": [{"name": each, "stopped": bool(record)} for each, record in stopped.items()]})
        return
    for each, record in stopped.items():
        output.line(each, "stopped" if record else "was not running", f"was at {record.address}" if record else "")
    if any(stopped.values()):
        output.plain()
        output.state("Again", "trilho up")
