"""trilho compare A B: two versions side by side, on rows that neither was trained on."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, connected, load_project

_NAMED = 5  # parameters that are named where only one version has them


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
    from trilho.cli.worded import show_verdicts, verdict_json
    from trilho.steps.comparing import compare_versions
    from trilho.steps.facts import counted

    file = load_project(project, profile, overrides)
    name = file.register.name
    with connected(file) as client:
        store = registry.open_store(client)
        found = compare_versions(file, client, store.get(name, a), store.get(name, b))
    if json:
        verdicts = [verdict_json(verdict) for verdict in found.verdicts]
        output.as_json({**vars(found), "verdicts": verdicts})
        return
    output.plain(f"{name} v{a} and v{b}" + (f", {counted(found.rows, 'common unseen row')}" if found.rows else ""))
    output.plain()
    rows = [
        (metric, _shown(left), _shown(right), _shown(right - left, "+"))
        for metric, (left, right) in found.metrics.items()
    ]
    rows += [(param, old, new, "") for param, (old, new) in found.params.items()]
    if rows:
        output.table({"": "left", f"v{a}": "right", f"v{b}": "right", "difference": "right"}, rows)
    for number, alone in ((a, found.only_a), (b, found.only_b)):
        if alone:
            named = ", ".join(list(alone)[:_NAMED]) + (", …" if len(alone) > _NAMED else "")
            output.plain(f"{counted(len(alone), 'parameter')} of v{number} only: {named}")
    output.plain()
    show_verdicts(found.verdicts)


def _shown(value: float, sign: str = "") -> str:
    return "undefined" if math.isnan(value) else f"{value:{sign}.4f}"
