"""trilho config: every setting, its value, and where the value came from."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project

_SECRET = re.compile(r"(?i)password|passwd|secret|token|credential|api_?key")


def config(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="NAME", help="Settings or sections to explain (default: all).")
    ] = None,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print a JSON Schema of trilho.yaml for editors.")] = False,
) -> None:
    """Show each setting and where its value came from.

    That is a flag, the environment, .env, a profile, trilho.yaml or a default.
    """
    from trilho.cli import output
    from trilho.project import explain, json_schema
    from trilho.project.origins import written

    if schema:
        output.as_json(json_schema())
        return
    file = load_project(project, profile, overrides)
    lines = _chosen(list(explain(file)), names or [])
    if json:
        output.as_json(
            {
                "file": str(file.file),
                "profile": {"name": file.profile, "origin": str(file.origins["profile"])},
                "settings": [
                    {
                        "name": line.setting,
                        "value": _open(line.setting, line.value),
                        "origin": str(line.origin),
                        "unit": line.unit,
                        "help": line.help,
                    }
                    for line in lines
                ],
            }
        )
        return
    output.plain(f"{file.file}, profile {file.profile} ({file.origins['profile']})\n")
    shown = [
        (line.setting, written(_open(line.setting, line.value), line.unit), str(line.origin), line) for line in lines
    ]
    widths = [max(len(row[column]) for row in shown) for column in (0, 1)]
    for name, value, origin, line in shown:
        output.plain(f"  {name:<{widths[0]}}  {value:<{min(widths[1], 48)}}  {origin}")
        if names:
            output.plain(f"  {'':<{widths[0]}}  {line.help}{f' In {line.unit}.' if line.unit == 'seconds' else ''}\n")


def _chosen(lines: list[Any], names: list[str]) -> list[Any]:
    """The lines of the named settings and sections. Raises UnknownName."""
    from trilho.errors import UnknownName
    from trilho.project.names import did_you_mean

    if not names:
        return lines
    known = {".".join(line.setting.split(".")[:depth]) for line in lines for depth in (1, 2, 3, 4)}
    for name in names:
        if name not in known:
            raise UnknownName(
                f"There is no setting {name}.{did_you_mean(name, sorted(known))}",
                remedy="trilho config lists all of them.",
            )
    return [line for line in lines if any(f"{line.setting}.".startswith(f"{name}.") for name in names)]


def _open(name: str, value: Any) -> Any:
    """The value as it may be shown: without passwords, in addresses or under a telling name."""
    from trilho.shown_address import without_password

    if isinstance(value, dict):
        return {key: _open(f"{name}.{key}", one) for key, one in value.items()}
    if isinstance(value, list):
        return [_open(name, one) for one in value]
    if _SECRET.search(name.rpartition(".")[2]) and value is not None:
        return "***"
    return without_password(value) if isinstance(value, str) else value
