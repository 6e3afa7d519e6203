"""Every setting of a project with its value and where it came from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trilho.project.file import ProjectFile
from trilho.project.sections import value_of
from trilho.settings import MAPPINGS, SETTINGS, Origin, Setting, format_duration


@dataclass(frozen=True, kw_only=True)
class Explained:
    """A setting, or one entry of a mapping ("train.params.max_depth"), as it holds now.

    `value` is plain (text, number, list, mapping), in `unit`.
    """

    setting: str
    value: Any
    origin: Origin
    unit: str
    help: str


def explain(project: ProjectFile) -> tuple[Explained, ...]:
    """All settings in the order of the reference; mappings that are not empty with one line for each entry."""
    lines: list[Explained] = []
    for setting in SETTINGS:
        value = value_of(project, setting.name)
        if setting.kind in MAPPINGS and value:
            lines += [_line(project, setting, one, key=str(key)) for key, one in value.items()]
        else:
            lines.append(_line(project, setting, value))
    return tuple(lines)


def written(value: Any, unit: str = "") -> str:
    """A plain value as the file would say it; numbers in seconds as durations."""
    if value is None or isinstance(value, bool):
        return {None: "none", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return f"[{', '.join(map(written, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {written(one)}" for key, one in value.items()) + "}"
    return format_duration(value) if unit == "seconds" else str(value)


def _line(project: ProjectFile, setting: Setting, value: Any, key: str = "") -> Explained:
    name = f"{setting.name}.{key}" if key else setting.name
    origin = project.origins.get(name) or project.origins.get(setting.name) or Origin(source="default")
    return Explained(
        setting=name,
        value=_plain(value),
        origin=origin,
        unit=setting.unit,
        help=setting.help,
    )


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return value.as_posix()
    return list(value) if isinstance(value, tuple) else value
