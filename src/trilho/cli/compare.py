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
    from rich.table import Table

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
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", f"v{a}", f"v{b}", "difference"):
        table.add_column(column, justify="left" if not column else "right")
    for metric, (left, right) in found.metrics.items():
        table.add_row(metric, f"{left:.4f}", f"{right:.4f}", f"{right - left:+.4f}")
    for param, (old, new) in found.params.items():
        table.add_row(param, old, new, "")
    output.out.print(table)
    if found.problem:
        output.plain()
        output.state("Not on common rows", found.problem)
    output.plain()
    for verdict in found.verdicts:
        output.line(verdict.gate, verdict.outcome, verdict.reason, width=10)
