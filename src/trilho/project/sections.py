"""Setting name → value, as the frozen sections of a ProjectFile, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trilho.project.file import (
    ChampionRule,
    DataSection,
    DriftRule,
    EvaluateSection,
    GuardSection,
    JournalSection,
    MonitorSection,
    ProjectFile,
    RegisterSection,
    RetrainSection,
    ServeSection,
    SplitSection,
    TrainSection,
    TransformSection,
)
from trilho.settings import Origin

SECTION_TYPES: dict[str, type] = {
    "data": DataSection,
    "split": SplitSection,
    "transform": TransformSection,
    "train": TrainSection,
    "evaluate": EvaluateSection,
    "evaluate.champion": ChampionRule,
    "register": RegisterSection,
    "serve": ServeSection,
    "journal": JournalSection,
    "monitor": MonitorSection,
    "monitor.drift": DriftRule,
    "retrain": RetrainSection,
    "guard": GuardSection,
}


def project_file(root: Path, profile: str, values: Mapping[str, Any], origins: Mapping[str, Origin]) -> ProjectFile:
    """The project as frozen values; `values` holds every setting that has no default of its own."""
    parts: dict[str, dict[str, Any]] = {"": {}, **{section: {} for section in SECTION_TYPES}}
    for name, value in values.items():
        section, _, field = name.rpartition(".")
        parts[section][field] = value
    for section in reversed(SECTION_TYPES):  # inner ones first
        outer, _, field = section.rpartition(".")
        parts[outer][field] = SECTION_TYPES[section](**parts[section])
    return ProjectFile(root=root, profile=profile, origins=dict(origins), **parts[""])


def value_of(project: ProjectFile, setting: str) -> Any:
    """The value of a setting by its name in the file."""
    found: Any = project
    for part in setting.split("."):
        found = getattr(found, part)
    return found
