"""What a step made, as Python objects: for a look from a notebook."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trilho.errors import NotRunYet, UnknownName
from trilho.importer import project_code
from trilho.project.file import ProjectFile
from trilho.steps.cache import Cache
from trilho.steps.keys import STEPS
from trilho.steps.loop import StepResult
from trilho.steps.materials import TEST, Materials

if TYPE_CHECKING:
    import pandas as pd


def inspect(project: ProjectFile, step: str) -> Any:
    """What `step` made last: ingest the frame, split the two frames, transform the fitted transformer, train the
    fitted pipeline, evaluate the metrics, register the package's facts.

    Raises:
        UnknownName: no such step.
        NotRunYet: it, or a step before it, has not run.
    """
    folders = {name: folder for name in STEPS if (folder := last_folder(project, name)) is not None}
    _require(step, folders)
    with project_code(project.root):
        return _VIEWS[step](Materials(project, folders))


def last_result(project: ProjectFile, step: str) -> StepResult:
    """The step's last entry with its facts. Raises UnknownName, NotRunYet."""
    folder = last_folder(project, step) if step in STEPS else None
    _require(step, {step: folder} if folder else {})
    entry = Cache(project.state_dir / "cache").last(step)
    assert entry is not None
    return StepResult(
        step=step, status="reused", facts=entry.facts, seconds=entry.seconds, folder=entry.folder, key=entry.folder.name
    )


def inspect_text(project: ProjectFile, step: str) -> str:
    """The same as a few lines of text."""
    found = inspect(project, step)
    if step == "ingest":
        return f"{found.head()}\n\n{_columns(found)}"
    if step == "split":
        train, test = found
        return f"train\n{train.head(3)}\n\ntest\n{test.head(3)}"
    if step in ("transform", "train"):
        return repr(found)
    return json.dumps(found, indent=2, ensure_ascii=False)


def last_folder(project: ProjectFile, step: str) -> Path | None:
    """The folder of the step's last entry; None where it has not run."""
    entry = Cache(project.state_dir / "cache").last(step)
    return entry.folder if entry else None


def _require(step: str, folders: Mapping[str, Path]) -> None:
    if step not in STEPS:
        raise UnknownName(f"There is no step '{step}'.", why=f"Steps: {', '.join(STEPS)}.", remedy="Name one of these.")
    if step not in folders:
        raise NotRunYet(f"Step {step} has not run yet.", remedy=f"trilho run {step}")


def _columns(frame: pd.DataFrame) -> str:
    """A line for each column: its type, how many values are missing, how many different ones there are."""
    import pandas as pd

    described = {
        "type": frame.dtypes.astype(str),
        "missing": frame.isna().sum(),
        "different": frame.nunique(),
    }
    return pd.DataFrame(described).to_string()


def _split(materials: Materials) -> Any:
    frame = materials.dataset.frame
    return frame[materials.parts != TEST], frame[materials.parts == TEST]


def _transform(materials: Materials) -> Any:
    import joblib

    return joblib.load(materials.folders["transform"] / "transformer.joblib")


def _register(materials: Materials) -> Any:
    return json.loads((materials.folders["register"] / "package.json").read_text(encoding="utf-8"))


_VIEWS: Mapping[str, Callable[[Materials], Any]] = {
    "ingest": lambda materials: materials.dataset.frame,
    "split": _split,
    "transform": _transform,
    "train": lambda materials: materials.model,
    "evaluate": lambda materials: dict(materials.evaluation),
    "register": _register,
}
