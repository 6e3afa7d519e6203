"""trilho login: a user and a password for a tracking server, tried and then kept."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated

import typer

from trilho.cli.options import HERE, Folder, Profile

_NAMES = ("MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD")
_SECONDS = 30.0  # a password is slow to compare by design


def login(
    server: Annotated[
        str, typer.Argument(help="http://HOST:PORT (default: the project's, or MLFLOW_TRACKING_URI).")
    ] = "",
    user: Annotated[str, typer.Option("--user", "-u", help="Name of the user; asked for if it is left out.")] = "",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from stdin: for scripts.")
    ] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Forget what is kept for this server.")] = False,
    project: Folder = HERE,
    profile: Profile = None,
) -> None:
    """Keep user and password for a tracking server.

    They are tried first, and go to this one server, whatever command asks it. MLFLOW_TRACKING_USERNAME and
    MLFLOW_TRACKING_PASSWORD, in the environment or the project's .env, win over them.
    """
    from trilho.cli import output
    from trilho.wire import forget_credentials, keep_credentials, parse_address

    address = parse_address(server or _named(project, profile), environment={}).shown
    if forget:
        there = forget_credentials(address)
        output.state("Forgotten" if there else "Nothing", f"{'' if there else 'was kept for '}{address}")
        return
    user = user or typer.prompt("User", err=True)
    password = (
        sys.stdin.readline().rstrip("\r\n") if password_stdin else typer.prompt("Password", hide_input=True, err=True)
    )
    tried = {name: value for name, value in os.environ.items() if name not in _NAMES}
    if _asks_nobody(address, tried):
        output.state("Not needed", f"{address} asks nobody for a password; nothing was kept")
        return
    _try(address, {**tried, "MLFLOW_TRACKING_USERNAME": user, "MLFLOW_TRACKING_PASSWORD": password}, user)
    file = keep_credentials(address, user, password)
    output.state("Logged in", f"{user} at {address}")
    output.state("Kept in", f"{file}, which only you can read")
    output.state("Undo", f"trilho login --forget {address}")


def _asks_nobody(address: str, environment: Mapping[str, str]) -> bool:
    """Does the server answer without a password? Raises ServerUnreachable, ServerRefused."""
    from trilho.errors import ServerRefused
    from trilho.wire import NOT_KNOWN, Client, parse_address

    stranger = replace(parse_address(address, environment), user="", authorization="")  # nor what was kept earlier
    try:
        with Client(stranger, seconds=_SECONDS) as client:
            client.get("experiments/search", {"max_results": 1})
    except ServerRefused as error:
        if error.status != NOT_KNOWN:
            raise
        return False
    return True


def _try(address: str, environment: Mapping[str, str], user: str) -> None:
    from trilho.errors import ServerRefused
    from trilho.wire import NOT_KNOWN, probe

    try:
        probe(address, environment=environment, seconds=_SECONDS)
    except ServerRefused as error:
        if error.status != NOT_KNOWN:
            raise
        raise ServerRefused(
            f"{address} does not know this user with this password.",
            state="Nothing was kept.",
            why=f"Wrong user or password: '{user}' was tried.",
            remedy="Try again, or ask an administrator of the server for a new password.",
            status=error.status,
        ) from error


def _named(folder: Folder, profile: str | None) -> str:
    from trilho.errors import InvalidProject, ProjectNotFound
    from trilho.project import load

    try:
        named = load(folder, profile=profile).tracking_uri
    except ProjectNotFound:
        named = os.environ.get("MLFLOW_TRACKING_URI")
    if not named:
        raise InvalidProject(
            "Which server?",
            why="Neither the project nor MLFLOW_TRACKING_URI names one; the local server asks for no password.",
            remedy="trilho login http://HOST:PORT",
        )
    return named
