"""trilho promote [VERSION]: judge a version again and make it champion if the gates agree, or by force."""

from __future__ import annotations

from typing import Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, connected, load_project, version_number


def promote(
    version: Annotated[
        int | None, typer.Argument(parser=version_number, metavar="VERSION", help="Its number (default: the newest).")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Whatever the gates say; needs --reason.")] = False,
    reason: Annotated[str, typer.Option(help="Why, for the history.")] = "",
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Judge a version and promote it if it wins.

    It is compared with the champion; --force asks no gate, but for a reason.
    """
    from trilho import registry, steps
    from trilho.cli import output
    from trilho.cli.exits import exit_code_after
    from trilho.cli.worded import judgement_json, show_judgement
    from trilho.errors import InvalidProject, VersionNotFound

    if force and not reason:
        raise InvalidProject(
            "--force needs --reason.",
            why="The history says why a version went live against its gates.",
            remedy='trilho promote VERSION --force --reason "why"',
        )
    file = load_project(project, profile, overrides)
    name = file.register.name
    with connected(file) as client:
        store = registry.open_store(client)
        if version is None:
            versions = store.versions(name)
            if not versions:
                raise VersionNotFound(f"{name} has no versions.", remedy="trilho run")
            version = max(found.number for found in versions)
        judgement = steps.judge(file, client, store.get(name, version), act=True, force=reason if force else "")
    if json:
        output.as_json(judgement_json(judgement))
    elif judgement.event is None:
        output.state("Champion", f"{name} v{version} already is champion")
    else:
        show_judgement(file, judgement)
    raise typer.Exit(exit_code_after([judgement]))
