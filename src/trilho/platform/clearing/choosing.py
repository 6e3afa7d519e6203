"""What is old: the rule of `trilho gc --keep N`, on facts alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from trilho.platform.clearing.facts import Facts, LoggedModel, Run, Versions
from trilho.registry import Version

_IN_USE = ("Production", "Staging")


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What goes. `kept` says of each version that stays for another reason than its age why it stays.

    `revived` are runs that were deleted in MLflow though a version that stays came from them: they are put back.
    """

    versions: tuple[Version, ...]
    runs: tuple[Run, ...]
    models: tuple[LoggedModel, ...]
    kept: Mapping[tuple[str, int], str]
    revived: tuple[Run, ...] = ()

    @property
    def empty(self) -> bool:
        return not (self.versions or self.runs or self.models)


def choose(facts: Facts, keep: int) -> Choice:
    """What is old when the newest `keep` are kept.

    Of each registered model the newest `keep` versions stay, each version with an alias or in stage Production or
    Staging, and each that was among the last `keep` champions: one of them is what a rollback goes to. Of each
    experiment the newest `keep` runs stay, each run that a version which stays came from, and each that still runs. A
    run stays or goes with the runs nested in it, and its models with it.
    """
    gone: list[Version] = []
    kept: dict[tuple[str, int], str] = {}
    needed: set[str] = set()  # runs that versions which stay came from
    for model in facts.registered:
        reasons = _reasons(model, keep) if model.ours else dict.fromkeys((v.number for v in model.versions), "")
        kept |= {(model.name, number): reason for number, reason in reasons.items() if reason}
        gone += [version for version in model.versions if version.number not in reasons]
        needed |= {version.run_id for version in model.versions if version.number in reasons}
        used = {version.model_id for version in model.versions if version.number in reasons}
        needed |= {found.run_id for found in facts.models if found.model_id in used}
    runs = _old_runs(facts.runs, needed, keep)
    old = {run.run_id for run in (*runs, *facts.deleted_runs)} - needed
    models = tuple(model for model in facts.models if model.run_id in old)
    revived = tuple(run for run in facts.deleted_runs if run.run_id in needed)
    return Choice(versions=tuple(gone), runs=runs, models=models, kept=kept, revived=revived)


# ----------------------------------------------------------------------------------------------------------------------


def _reasons(model: Versions, keep: int) -> dict[int, str]:
    """Version that stays → why; "" where it is new enough."""
    newest = sorted((version.number for version in model.versions), reverse=True)[:keep]
    found = dict.fromkeys(newest, "")
    lately = list(dict.fromkeys(model.champions))[:keep]
    for version in model.versions:
        if version.number in found:
            continue
        if version.aliases:
            found[version.number] = ", ".join(f"@{alias}" for alias in version.aliases)
        elif version.stage in _IN_USE:
            found[version.number] = f"stage {version.stage}"
        elif version.number in lately:
            found[version.number] = f"among the last {keep} champions"
    return found


def _old_runs(runs: tuple[Run, ...], needed: set[str], keep: int) -> tuple[Run, ...]:
    parents = {run.run_id: run.parent for run in runs}
    families: dict[tuple[str, str], list[Run]] = defaultdict(list)
    for run in runs:
        families[run.experiment_id, _root(run.run_id, parents)].append(run)
    by_experiment: dict[str, list[list[Run]]] = defaultdict(list)
    for (experiment, _), family in families.items():
        by_experiment[experiment].append(family)
    old: list[Run] = []
    for found in by_experiment.values():
        found.sort(key=lambda family: max(run.started for run in family), reverse=True)
        for family in found[keep:]:
            if not any(run.running or run.run_id in needed for run in family):
                old += family
    return tuple(old)


def _root(run_id: str, parents: Mapping[str, str]) -> str:
    seen = set()
    while parents.get(run_id) in parents and run_id not in seen:  # a tag is written by anybody, also in a circle
        seen.add(run_id)
        run_id = parents[run_id]
    return run_id
