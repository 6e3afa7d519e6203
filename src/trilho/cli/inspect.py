"""trilho inspect STEP: what a step made last, from what, and where it lies."""

from __future__ import annotations

from typing import Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project


def inspect(
    step: Annotated[str, typer.Argument(help="ingest, split, transform, train, evaluate or register.")],
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Show what a step made last. In Python: Project('.').inspect('train') gives the object itself."""
    from trilho.cli import output
    from trilho.cli.worded import step_json
    from trilho.steps.inspecting import inspect_text, last_result

    file = load_project(project, profile, overrides)
    result = last_result(file, step)
    assert result.folder is not None
    files = {path.name: path.stat().st_size for path in sorted(result.folder.iterdir()) if path.name != "entry.json"}
    if json:
        output.as_json({**step_json(result), "files": files})
        return
    output.state(step, f"{result.facts} (made in {result.seconds:.1f} s)")
    output.state("Folder", str(result.folder))
    for name, size in files.items():
        output.line(name, f"{size:,} B", width=24)
    output.plain()
    output.plain(inspect_text(file, step))
