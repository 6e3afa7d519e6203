"""Step 5: how good the model is on rows it was not trained on, in numbers and pictures."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from trilho import metrics
from trilho.errors import InvalidProject, StepFailed, TrilhoError
from trilho.importer import load_object
from trilho.metrics.calibration import calibration
from trilho.metrics.outcome import Outcome
from trilho.steps.materials import TEST, Materials


def evaluate(materials: Materials, out: Path) -> str:
    """Write evaluation.json, figures/*.png and report.txt.

    In its place or in addition: `evaluate(model, frame, truth) -> {name: number}` on the test rows; what it returns
    joins the built-in metrics and replaces those of the same name.
    """
    from trilho.steps.figures import draw
    from trilho.steps.importance import lost_by_shuffling

    project = materials.project
    test = predict(materials, materials.test_rows, materials.truth(TEST))
    train = predict(materials, materials.train_rows, materials.truth(1 - TEST))
    names = project.evaluate.metrics
    measured = metrics.compute(names, test, materials.weights(TEST))
    if "evaluate" in project.steps:
        measured |= _by_user(materials)
    lost = lost_by_shuffling(materials)
    by_column = zip(map(str, materials.test_rows.columns), lost.mean(axis=1).tolist(), strict=True)
    found: dict[str, Any] = {
        "test": measured,
        "train": metrics.compute(names, train, materials.weights(1 - TEST)),
        "labels": [_plain(label) for label in test.labels],
        "positive": _plain(test.positive),
        "label_names": list(_label_names(materials, test)),
        "rows": {"train": train.rows, "test": test.rows},
        "calibration": _calibration(test),
        "importance": {name: value for name, value in by_column if np.isfinite(value)},
    }
    (out / "evaluation.json").write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    draw(materials, test, lost, out)
    shown = dict.fromkeys([project.primary_metric, *names])
    return ", ".join(f"{name} {measured[name]:.3f}" for name in list(shown)[:3] if name in measured)


def predict(materials: Materials, rows: Any, truth: np.ndarray) -> Outcome:
    """The model's answers for `rows` beside the truth."""
    model = materials.model
    try:
        predicted = np.asarray(model.predict(rows))
        if materials.project.task == "regression":
            return Outcome(truth=truth.astype(float), predicted=predicted.astype(float))
        probabilities = np.asarray(model.predict_proba(rows)) if hasattr(model, "predict_proba") else None
        labels = tuple(getattr(model, "classes_", np.unique(truth)).tolist())
    except TrilhoError:
        raise
    except Exception as error:
        raise StepFailed(
            "The trained model cannot predict.",
            state="Earlier steps are kept; the champion is unchanged.",
            why=f"{type(error).__name__}: {error}",
            remedy="A transform must take rows it has not seen: new categories, missing values.",
        ) from error
    positive = positive_label(labels, materials.project.positive_class)
    return Outcome(truth=truth, predicted=predicted, probabilities=probabilities, labels=labels, positive=positive)


def positive_label(labels: tuple[Any, ...], wanted: Any) -> Any:
    """The label that counts as positive: the wanted one; else the last of two; None for more than two.

    Raises:
        InvalidProject: the wanted one is none of the data's labels.
    """
    if wanted is None:
        return labels[-1] if len(labels) == 2 else None
    for label in labels:
        if label == wanted or str(label) == str(wanted):
            return label
    raise InvalidProject(
        f"positive_class: {wanted} is none of the labels in the data.",
        why=f"Labels: {', '.join(map(str, labels))}.",
        remedy="Correct positive_class in trilho.yaml.",
    )


def _label_names(materials: Materials, outcome: Outcome) -> tuple[str, ...]:
    known = materials.dataset.label_names
    return known if len(known) == len(outcome.labels) else tuple(map(str, outcome.labels))


def _calibration(test: Outcome) -> dict[str, float] | None:
    """For monitoring: whether an estimate may be built on the model's probabilities. None without any."""
    found = calibration(test) if test.labels else None
    return None if found is None else asdict(found)


def _by_user(materials: Materials) -> dict[str, float]:
    path = materials.project.steps["evaluate"]
    answer = load_object(path)(materials.model, materials.test_rows, materials.truth(TEST))
    try:
        return {str(name): float(value) for name, value in answer.items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise StepFailed(
            f"{path} returned {answer!r:.100}.", why=str(error), remedy="Return a dict of metric names and numbers."
        ) from error


def _plain(value: Any) -> Any:
    """NumPy's scalars as Python's own, for JSON."""
    return value.item() if isinstance(value, np.generic) else value
