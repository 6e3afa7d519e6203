"""trilho ui: MLflow's page of this project."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from trilho.cli.options import HERE, Folder, Overrides, Profile, load_project


def ui(
    open_browser: Annotated[bool, typer.Option("--open/--no-open", help="Open it in the browser.")] = True,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
) -> None:
    """Open MLflow's page and print its address. The local server is started if need be."""
    from trilho.cli import output
    from trilho.platform import server_address
    from trilho.shown_address import without_password

    address = server_address(load_project(project, profile, overrides), output.progress)
    typer.echo(without_password(address))
    if open_browser and sys.stdout.isatty():
        import webbrowser

        webbrowser.open(address)
