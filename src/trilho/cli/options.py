"""Options that several verbs share, and the project they lead to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from trilho.project import ProjectFile
    from trilho.wire import Client

Folder = Annotated[Path, typer.Option("--project", "-C", help="Folder of trilho.yaml, or one below it.")]
Profile = Annotated[str | None, typer.Option("--profile", "-p", help="Profile of trilho.yaml (default: local).")]
Overrides = Annotated[
    list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="Another value for a setting, for this once.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the same facts as JSON.")]

HERE = Path()


def version_number(text: str) -> int:
    """3 from "3" or "v3": trilho itself writes versions with the letter."""
    number = text.removeprefix("v")
    if not number.isdecimal() or int(number) < 1:
        raise typer.BadParameter(f"{text!r} is no version; write its number: 3 or v3.")
    return int(number)


def load_project(folder: Path, profile: str | None, overrides: list[str] | None) -> ProjectFile:
    """The project that the options name; its .env joins the environment. Raises ProjectNotFound, InvalidProject."""
    from trilho.project import lend_env_file, load

    found = load(folder, profile=profile, overrides=overrides or ())
    lend_env_file(found.root)
    return found


def connected(project: ProjectFile) -> Client:
    """A client of the project's tracking server, which is known to answer. Raises ServerUnreachable, ServerRefused."""
    from trilho.cli.output import progress
    from trilho.platform.address import server_address
    from trilho.wire import connect, probe

    address = server_address(project, progress)
    probe(address)
    return connect(address)
