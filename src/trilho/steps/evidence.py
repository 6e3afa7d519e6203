"""What the gates judge, collected: both models on the rows that neither was trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from trilho import bundle
from trilho.data.row_hash import row_hashes
from trilho.errors import BundleDamaged, CannotPredict, ServerRefused, UntrustedModel
from trilho.gates import Evidence, Paired, Rule
from trilho.importer import project_code
from trilho.metrics import METRICS, Outcome
from trilho.project.file import ProjectFile
from trilho.registry import Version
from trilho.steps.inspecting import last_folder
from trilho.steps.loop import run_steps
from trilho.steps.materials import TEST, Materials, labels_of, model_frame
from trilho.wire import Client

MOST_ROWS = 10_000  # of a test set that is predicted again for intervals: a thousand resamples of it take a second


def collect(project: ProjectFile, client: Client, challenger: Version, champion: Version | None) -> Evidence:
    """Evidence for the challenger, on the project's present data.

    Raises:
        BundleDamaged, ServerUnreachable: the challenger itself cannot be had. What is wrong with the champion is
            evidence, not an error.
    """
    with project_code(project.root):
        mine = bundle.open(fetched(project, client, challenger), trust_code=True)  # this project's own code
        found: dict[str, Any] = {
            "metrics": mine.metadata["metrics"],
            "schema": {field.name: field.kind for field in mine.schema.fields},
            "champion": champion.number if champion else None,
            "latency": float(challenger.tags["trilho.latency"]) if "trilho.latency" in challenger.tags else None,
        }
        if project.evaluate.thresholds:
            found["outcome"] = _own_test(project, mine, bundle.training_rows(fetched(project, client, challenger)))
        if champion is None:
            return Evidence(**found)
        try:
            theirs = bundle.open(fetched(project, client, champion), trust_code=project.serve.trust_code)
            found["champion_schema"] = {field.name: field.kind for field in theirs.schema.fields}
            found["champion_optional"] = frozenset(field.name for field in theirs.schema.fields if field.nullable)
            # A column that the champion's callers do not send is required, nullable or not.
            found["optional"] = frozenset(
                field.name for field in mine.schema.fields if field.nullable and field.name in found["champion_schema"]
            )
            found["paired"] = _paired(project, mine, theirs, client, challenger, champion)
        except (BundleDamaged, CannotPredict, UntrustedModel, ServerRefused) as error:
            found["champion_problem"] = " ".join(part for part in (error.what, error.why, error.remedy) if part)
        return Evidence(**found)


def rule_of(project: ProjectFile, evidence: Evidence) -> Rule:
    """What the project asks of a version. Models without probabilities are compared by the primary metric."""
    section = project.evaluate
    metric, paired = section.champion.metric, evidence.paired
    if paired is not None and "probabilities" in METRICS[metric].needs:
        bare = paired.challenger.probabilities is None or paired.champion.probabilities is None
        metric = project.primary_metric if bare else metric
    return Rule(
        policy=project.register.promote,
        metric=metric,
        thresholds=section.thresholds,
        margin=section.champion.margin,
        min_improvement=section.champion.min_improvement,
        confidence=section.champion.confidence,
        min_rows=section.champion.min_rows,
        max_latency=section.max_latency,
        random_state=project.split.random_state,
    )


def fetched(project: ProjectFile, client: Client, version: Version) -> Path:
    """The version's archive on this machine, verified."""
    if not version.digest:
        raise BundleDamaged(
            f"{version.name} v{version.number} has no bundle.",
            why="It was registered by plain MLflow.",
            remedy=f"trilho register models:/{version.name}/{version.number}",
        )
    return bundle.fetch(client, version, project.state_dir / "bundles")


def _own_test(project: ProjectFile, mine: Any, trained_on: np.ndarray) -> Outcome | None:
    """The version's predictions on its own test rows, for the interval beside a threshold; None where that is not
    cheap, or the project's data and split are no longer those that it was made with.
    """
    folders = {step: last_folder(project, step) for step in ("ingest", "split")}
    if project.split.group_by or project.train.sample_weight:
        return None  # the threshold gate knows neither groups nor weights
    if not all(folders.values()) or mine.metadata.get("rows", {}).get("test", MOST_ROWS + 1) > MOST_ROWS:
        return None
    materials = Materials(project, {step: folder for step, folder in folders.items() if folder})
    tested = materials.parts == TEST
    if not np.array_equal(np.unique(materials.units[~tested]), np.unique(trained_on)):
        return None
    frame = materials.dataset.frame[tested]
    try:
        return _outcome(
            mine, model_frame(frame, materials.features), labels_of(frame[materials.dataset.target]), mine.schema
        )
    except CannotPredict:  # a compiled model that refuses the nulls in these rows
        return None


def _paired(
    project: ProjectFile, mine: Any, theirs: Any, client: Client, challenger: Version, champion: Version
) -> Paired:
    unit, other = mine.metadata.get("unit", "row"), theirs.metadata.get("unit", "row")
    if unit != other or unit == "unknown":
        strange = [f"v{each.number}" for each, known in ((champion, other), (challenger, unit)) if known == "unknown"]
        raise CannotPredict(
            f"Which rows {' and '.join(strange)} trained on is unknown, as plain MLflow logged it."
            if strange
            else f"Training rows of v{champion.number} are known by {other}, those of v{challenger.number} by {unit}.",
            remedy="Promote once with --force --reason; versions after that compare again.",
        )
    materials = Materials(
        project, {done.step: done.folder for done in run_steps(project, until="split") if done.folder}
    )
    unseen = np.ones(len(materials.units), dtype=bool)
    for version, predictor in ((challenger, mine), (champion, theirs)):
        trained_on = bundle.training_rows(fetched(project, client, version))
        unseen &= ~np.isin(_units_for(version, predictor.schema, materials), trained_on)
    frame = materials.dataset.frame[unseen]
    rows = model_frame(frame, materials.features)
    truth = labels_of(frame[materials.dataset.target])
    groups = materials.units[unseen] if project.split.group_by else None
    weight = project.train.sample_weight
    return Paired(
        challenger=_outcome(mine, rows, truth, mine.schema),
        champion=_outcome(theirs, rows, truth, mine.schema),
        groups=groups,
        weights=frame[weight].to_numpy(dtype=float) if weight else None,
    )


def _units_for(version: Version, schema: Any, materials: Materials) -> np.ndarray:
    """Today's rows hashed as they were when the version was trained: over the columns that it had. Shape (n,), uint64.

    A row's hash is over all its columns. Compared as they are, no row of today would be one that a version of other
    columns was trained on, and the comparison would flatter whichever has seen them.

    Raises:
        CannotPredict: one of its columns is gone, or of a kind that hashes otherwise.
    """
    if materials.project.split.group_by:
        return materials.units
    now = {column.name: column.kind for column in materials.dataset.columns}
    had = {field.name: field.kind for field in schema.fields}
    lost = [name for name, kind in had.items() if _hashed_as(kind) != _hashed_as(now.get(name, "missing"))]
    if lost:
        raise CannotPredict(
            f"Which of today's rows v{version.number} was trained on cannot be told: "
            f"it had column '{lost[0]}', which is gone or of another kind.",
            remedy="Take the column back (data.drop, data.kinds), or promote once with --force --reason; "
            "versions after that compare again.",
        )
    if had.keys() == {column.name for column in materials.features}:
        return materials.units
    kept = [one for one in materials.dataset.columns if one.name in had or one.name == materials.dataset.target]
    return row_hashes(materials.dataset.frame, kept)


def _hashed_as(kind: str) -> str:
    """Kinds of one family hash equal values to the same number."""
    return {"boolean": "number", "text": "category", "image": "category"}.get(kind, kind)


def _outcome(predictor: Any, rows: Any, truth: np.ndarray, schema: Any) -> Outcome:
    """Predictions with probabilities in the order of `schema.labels`; a label the model never saw has none."""
    if not len(rows):
        labels = tuple(schema.labels)
        none = np.zeros((0, len(labels))) if labels else None
        return Outcome(truth=truth, predicted=truth, probabilities=none, labels=labels, positive=schema.positive)
    answers = predictor.predict_frame(rows)
    if schema.task == "regression":
        return Outcome(truth=truth.astype(float), predicted=np.asarray(answers.labels, dtype=float))
    probabilities = answers.probabilities
    if probabilities is not None and tuple(predictor.schema.labels) != tuple(schema.labels):
        unknown = [str(label) for label in predictor.schema.labels if label not in schema.labels]
        if unknown:
            raise CannotPredict(
                f"The champion answers labels that the challenger does not know: {', '.join(unknown)}.",
                remedy="Bring rows of these labels, or promote with --force --reason.",
            )
        places = [schema.labels.index(label) for label in predictor.schema.labels]
        spread = np.zeros((len(rows), len(schema.labels)))
        spread[:, places] = probabilities
        probabilities = spread
    return Outcome(
        truth=truth,
        predicted=np.asarray(answers.labels),
        probabilities=probabilities,
        labels=tuple(schema.labels),
        positive=schema.positive,
    )
