"""What is old: the rule of `trilho gc --keep N`, on facts alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from trilho.platform.clearing.facts import Experiment, Facts, LoggedModel, Run, Versions
from trilho.registry import Version

_IN_USE = ("Production", "Staging")


@dataclass(frozen=True, kw_only=True)
class Held:
    """What was deleted in MLflow and stays all the same, untouched; `why` is half a sentence."""

    what: str  # run | model | experiment
    name: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Choice:
    """What goes. `kept` says of each version that stays for another reason than its age why it stays.

    `marked` are runs that were deleted in MLflow before, `models` are of both sorts, `experiments` were all deleted
    before.
    """

    versions: tuple[Version, ...]
    runs: tuple[Run, ...]
    marked: tuple[Run, ...]
    models: tuple[LoggedModel, ...]
    experiments: tuple[Experiment, ...]
    kept: Mapping[tuple[str, int], str]
    held: tuple[Held, ...]

    @property
    def empty(self) -> bool:
        return not (self.versions or self.runs or self.marked or self.models or self.experiments)


def choose(facts: Facts, keep: int) -> Choice:
    """What is old when the newest `keep` are kept.

    Of each registered model the newest `keep` versions stay, each version with an alias or in stage Production or
    Staging, and each that was among the last `keep` champions: one of them is what a rollback goes to. Of each
    experiment the newest `keep` runs stay, each run that a version which stays came from, and each that still runs. A
    run stays or goes with the runs nested in it, and its models with it.

    What was deleted in MLflow goes, unless a version that stays needs it. An experiment goes if all in it goes.
    """
    gone: list[Version] = []
    kept: dict[tuple[str, int], str] = {}
    for model in facts.registered:
        if model.ours:
            reasons = _reasons(model, keep)
            kept |= {(model.name, number): reason for number, reason in reasons.items() if reason}
            gone += [version for version in model.versions if version.number not in reasons]
    needed = _needed(facts, {(version.name, version.number) for version in gone})
    while True:
        runs = _old_runs(facts.runs, needed, keep)
        marked = tuple(run for run in facts.deleted_runs if run.run_id not in needed)
        old = {run.run_id for run in (*runs, *marked)}
        models = _old_models(facts, needed, old)
        left = {model.model_id for model in facts.models} - {model.model_id for model in models}
        held_back = {run: f"{model} has metrics of it" for model, run in facts.measured if model in left and run in old}
        if not held_back:
            break
        needed |= held_back
    experiments = {each: _occupant(each, facts, old, left) for each in facts.deleted_experiments}
    return Choice(
        versions=tuple(gone),
        runs=runs,
        marked=marked,
        models=models,
        experiments=tuple(each for each, occupant in experiments.items() if not occupant),
        kept=kept,
        held=(
            *(
                Held(what="run", name=run.run_id, why=needed[run.run_id])
                for run in facts.deleted_runs
                if run.run_id in needed
            ),
            *(
                Held(what="model", name=model.model_id, why=needed[model.model_id])
                for model in facts.models
                if model.deleted and model.model_id in left
            ),
            *(Held(what="experiment", name=each.name, why=why) for each, why in experiments.items() if why),
        ),
    )


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


def _needed(facts: Facts, gone: set[tuple[str, int]]) -> dict[str, str]:
    """Run or model that a version which stays names or came from → which version."""
    named = {key: set(ids) for key, ids in facts.named.items()}
    for model in facts.registered:
        for version in model.versions:
            named.setdefault((version.name, version.number), set()).update({version.run_id, version.model_id})
    needed = {
        each: f"{name} v{number} needs it"
        for (name, number), ids in named.items()
        if (name, number) not in gone
        for each in ids
        if each
    }
    makers = {model.run_id: needed[model.model_id] for model in facts.models if model.model_id in needed}
    return {run: why for run, why in makers.items() if run} | needed


def _old_models(facts: Facts, needed: Mapping[str, str], old: set[str]) -> tuple[LoggedModel, ...]:
    dead = {each.experiment_id for each in facts.deleted_experiments}
    return tuple(
        model
        for model in facts.models
        if model.model_id not in needed
        and (model.deleted or model.run_id in old or (not model.run_id and model.experiment_id in dead))
    )


def _occupant(experiment: Experiment, facts: Facts, old: set[str], left: set[str]) -> str:
    """Why a deleted experiment stays: its row would take all that is in it along."""
    if experiment.occupied:
        return "a run in it is not deleted"
    here = experiment.experiment_id
    runs = (f"run {run.run_id}" for run in facts.deleted_runs if run.experiment_id == here and run.run_id not in old)
    models = (each.model_id for each in facts.models if each.experiment_id == here and each.model_id in left)
    return next((f"{found} in it stays" for found in (*runs, *models)), "")


def _old_runs(runs: tuple[Run, ...], needed: Mapping[str, str], keep: int) -> tuple[Run, ...]:
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
