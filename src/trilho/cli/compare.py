"""trilho compare A B: two versions side by side, on rows that neither was trained on."""

from __future__ import annotations

from typing import Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, connected, load_project


def compare(
    a: Annotated[int, typer.Argument(help="A version, the one to beat.")],
    b: Annotated[int, typer.Argument(help="Another version.")],
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Compare two versions: metrics on common unseen rows, parameters that differ, and what the gate would say."""
    from trilho import registry
    from trilho.cli import output
    from trilho.cli.worded import verdict_json
    from trilho.steps.comparing import compare_versions

    file = load_project(project, profile, overrides)
    name = file.register.name
    with connected(file) as client:
        store = registry.open_store(client)
        found = compare_versions(file, client, store.get(name, a), store.get(name, b))
    if json:
        verdicts = [verdict_json(verdict) for verdict in found.verdicts]
        output.as_json({**vars(found), "verdicts": verdicts})
        return
    output.plain(f"{name} v{a} and v{b}" + (f", {found.rows} common unseen rows" if found.rows else ""))
    output.plain()
    rows = [
        (metric, f"{left:.4f}", f"{right:.4f}", f"{right - left:+.4f}")
        for metric, (left, right) in found.metrics.items()
    ]
    rows += [(param, old, new, "") for param, (old, new) in found.params.items()]
    output.table({"": "left", f"v{a}": "right", f"v{b}": "right", "difference": "right"}, rows)
    if found.problem:
        output.plain()
        output.state("Not on common rows", found.problem)
    output.plain()
    for verdict in found.verdicts:
        output.line(verdict.gate, verdict.outcome, verdict.reason, width=10)
