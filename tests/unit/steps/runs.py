"""A tiny real project in a folder, and short words for what a run of it did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from trilho.project.file import ProjectFile
from trilho.steps import StepResult, run_steps
from unit.steps.cases import cancer, module, project

UP_TO_EVALUATE = ("ingest", "split", "transform", "train", "evaluate")

CODE = """
from helper import scale
from sklearn.linear_model import LogisticRegression


def build(frame):
    return scale(frame)


def train(X, y, C=1.0):
    return LogisticRegression(C=C, max_iter=10_000).fit(X, y)


def split(frame):
    return frame.index % 5 == 0


def evaluate(model, frame, truth):
    return {"rows": len(frame)}


def unrelated():
    return 1
"""
HELPER = "def scale(frame):\n    return frame / 10\n"


def write_project(root: Path, **changes: Any) -> ProjectFile:
    """A CSV of 150 rows and 3 columns, a module `mine` that uses a module `helper`, and a quick estimator."""
    root.mkdir(parents=True, exist_ok=True)
    frame = cancer(150).frame[["mean radius", "mean area", "mean texture", "target"]]
    frame.to_csv(root / "shop.csv", index=False)
    module(root, "mine", CODE)
    module(root, "helper", HELPER)
    return settings(root, **changes)


def settings(root: Path, **changes: Any) -> ProjectFile:
    """The same project with other settings."""
    quick = {"estimator": "sklearn.tree.DecisionTreeClassifier", "params": {"max_depth": 2}}
    return project(root, **{"train": quick, **changes})


def run(made: ProjectFile, until: str = "evaluate", **how: Any) -> dict[str, str]:
    """Step → "reused", or why it ran."""
    return {result.step: worded(result) for result in run_steps(made, until=until, **how)}


def worded(result: StepResult) -> str:
    return "reused" if result.status == "reused" else f"{result.status}: {result.reason}"


def each(word: str) -> dict[str, str]:
    return dict.fromkeys(UP_TO_EVALUATE, word)


Told = list[tuple[str, str]]


def teller(told: Told) -> Callable[[StepResult, object], None]:
    """A watcher that writes down what it is told."""
    return lambda result, _: told.append((result.step, result.status))
