"""trilho register URI: bundle a model that plain MLflow logged, so that trilho can judge and serve it."""

from __future__ import annotations

from typing import Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, connected, load_project


def register(
    uri: Annotated[str, typer.Argument(help="A logged model: runs:/RUN_ID/model or models:/NAME/3.")],
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Make a version of a model that MLflow logged. Its bundle is made from its signature and input example."""
    from trilho.cli import output
    from trilho.cli.worded import version_json
    from trilho.steps.adopting import adopt

    file = load_project(project, profile, overrides)
    with connected(file) as client:
        version, facts = adopt(file, client, uri)
    if json:
        output.as_json({**version_json(version), "facts": facts})
        return
    output.state("Registered", f"{version.name} v{version.number}: {facts}")
    output.state("Promote", f"trilho promote {version.number}")
