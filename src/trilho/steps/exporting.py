"""artifacts/model: the copy of the packed model that lies open in the project."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from trilho.importer import load_object
from trilho.steps.materials import Materials

BUNDLE = "mlflow_model/trilho/bundle.tar"

_SEAL, _RECORD = "package.json", "entry.json"


def export(materials: Materials, made: Path) -> None:
    """Put a copy of the packed model at the project's `model_dir`, whole before it takes the place of the old one;
    then call the user's own register function, if there is one, with the folder and the metrics.

    package.json comes last: without it, the export did not end.
    """
    project = materials.project
    target = project.root / project.model_dir
    fresh, old = target.with_name(f".{target.name}.new"), target.with_name(f".{target.name}.old")
    for left_over in (fresh, old):
        shutil.rmtree(left_over, ignore_errors=True)
    shutil.copytree(made, fresh, ignore=shutil.ignore_patterns(_RECORD, _SEAL))
    shutil.copyfile(fresh / BUNDLE, fresh / "bundle.tar")
    if target.exists():
        target.replace(old)
    fresh.replace(target)
    shutil.rmtree(old, ignore_errors=True)
    if "register" in project.steps:
        load_object(project.steps["register"])(target, dict(materials.evaluation["test"]))
    shutil.copyfile(made / _SEAL, target / _SEAL)


def restore(materials: Materials, packed: Path) -> str:
    """Export a reused package anew where the project's `model_dir` does not hold it; why, or "" where it does.

    It may have been deleted, or hold the model of other settings. What the user's own function added or changed there
    is not looked at.
    """
    project = materials.project
    target = project.root / project.model_dir
    sealed = _text(target / _SEAL)
    if not target.is_dir():
        problem = "was gone"
    elif sealed is None or not all((target / name).is_file() for name in _files(packed)):
        problem = "was incomplete"
    elif sealed != _text(packed / _SEAL):
        problem = "held another model"
    else:
        return ""
    export(materials, packed)
    return f"{project.model_dir.as_posix()} {problem}, made again"


def _files(packed: Path) -> list[str]:
    return [*json.loads((packed / _RECORD).read_text(encoding="utf-8"))["files"], "bundle.tar"]


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
