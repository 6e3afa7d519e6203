"""Two versions side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from trilho import gates, metrics
from trilho.project.file import ProjectFile
from trilho.registry import Version
from trilho.steps.evidence import collect, rule_of
from trilho.wire import Client


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Version a beside version b; pairs are (a, b).

    `metrics` are of the `rows` common rows that neither was trained on; where these cannot be had, `problem` says why
    and there are none. `params` are those that both have and that differ; `only_a` and `only_b` those that one has.
    """

    rows: int
    metrics: Mapping[str, tuple[float, float]]
    params: Mapping[str, tuple[str, str]]
    only_a: Mapping[str, str]
    only_b: Mapping[str, str]
    problem: str
    verdicts: tuple[gates.Verdict, ...]


def compare_versions(project: ProjectFile, client: Client, a: Version, b: Version) -> Comparison:
    """Judge b as if a were champion, and show the numbers behind it. Nothing is changed."""
    evidence = collect(project, client, b, a)
    measured: dict[str, tuple[float, float]] = {}
    if evidence.paired is not None and evidence.paired.challenger.rows:
        names = project.evaluate.metrics
        left = metrics.compute(names, evidence.paired.champion)
        right = metrics.compute(names, evidence.paired.challenger)
        measured = {name: (left[name], right[name]) for name in names}
    old, new = _params(client, a), _params(client, b)
    return Comparison(
        rows=evidence.paired.challenger.rows if evidence.paired else 0,
        metrics=measured,
        params={name: (old[name], new[name]) for name in sorted(old) if name in new and old[name] != new[name]},
        only_a={name: old[name] for name in sorted(old) if name not in new},
        only_b={name: new[name] for name in sorted(new) if name not in old},
        problem=evidence.champion_problem,
        verdicts=gates.judge(evidence, rule_of(project, evidence)),
    )


def _params(client: Client, version: Version) -> dict[str, str]:
    if not version.run_id:
        return {}
    data = client.get("runs/get", {"run_id": version.run_id})["run"]["data"]
    return {param["key"]: param["value"] for param in data.get("params", [])}
