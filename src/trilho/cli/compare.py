"""trilho compare [A] B: two versions side by side, on rows that neither was trained on."""

from __future__ import annotations

import math
from typing import Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, connected, load_project, version_number

_NAMED = 5  # parameters that are named where only one version has them


def compare(
    versions: Annotated[
        list[int],
        typer.Argument(
            parser=version_number, metavar="[A] B", help="The one to beat (default: the champion), and another: 1 2."
        ),
    ],
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Compare two versions: by metrics, parameters and gates.

    Metrics are taken on rows that neither was trained on.
    """
    from trilho import registry
    from trilho.cli import output
    from trilho.cli.worded import show_verdicts, verdict_json
    from trilho.errors import VersionNotFound
    from trilho.steps.comparing import compare_versions
    from trilho.steps.facts import counted

    if len(versions) > 2:
        raise typer.BadParameter("two versions are compared, not more.", param_hint="[A] B")
    file = load_project(project, profile, overrides)
    name = file.register.name
    with connected(file) as client:
        store = registry.open_store(client)
        b = store.get(name, versions[-1])
        a = store.get(name, versions[0]) if versions[1:] else registry.champion(store, name)
        if a is None:
            raise VersionNotFound(f"{name} has no champion to compare v{b.number} with.", remedy="trilho compare A B")
        if a.number == b.number:
            which = "is the champion" if not versions[1:] else "would be compared with itself"
            raise typer.BadParameter(f"v{b.number} {which}. Name two versions: trilho compare A B")
        found = compare_versions(file, client, a, b)
    if json:
        verdicts = [verdict_json(verdict) for verdict in found.verdicts]
        output.as_json({**vars(found), "verdicts": verdicts})
        return
    output.plain(
        f"{name} v{a.number} and v{b.number}" + (f", {counted(found.rows, 'common unseen row')}" if found.rows else "")
    )
    output.plain()
    rows = [
        (metric, _shown(left), _shown(right), _shown(right - left, "+"))
        for metric, (left, right) in found.metrics.items()
    ]
    rows += [(param, old, new, "") for param, (old, new) in found.params.items()]
    if rows:
        output.table({"": "left", f"v{a.number}": "right", f"v{b.number}": "right", "difference": "right"}, rows)
    for number, alone in ((a.number, found.only_a), (b.number, found.only_b)):
        if alone:
            named = ", ".join(list(alone)[:_NAMED]) + (", …" if len(alone) > _NAMED else "")
            output.plain(f"{counted(len(alone), 'parameter')} of v{number} only: {named}")
    output.plain()
    show_verdicts(found.verdicts)


def _shown(value: float, sign: str = "") -> str:
    return "undefined" if math.isnan(value) else f"{value:{sign}.4f}"
