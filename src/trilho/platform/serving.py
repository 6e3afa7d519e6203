"""The project's own model server: trilho serve, which waits for a first champion and follows it from then on."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from trilho.platform.service import Service

if TYPE_CHECKING:
    from trilho.project.file import ProjectFile

NAME = "serving"
_HANDED_ON = ("serve.", "journal.", "register.name", "tracking_uri", "train.trusted_types")


def serving_service(project: ProjectFile) -> Service:
    """What runs: the command a person would type, with what that person's flags said."""
    command = [sys.executable, "-m", "trilho.cli", "serve", "--wait"]
    command += ["--project", str(project.root.resolve()), "--profile", project.profile, *flags(project, _HANDED_ON)]
    folder = project.state_dir.resolve() / "serving"
    return Service(
        name=NAME,
        state_dir=project.state_dir,
        command=tuple(command),
        folder=folder,
        port=project.serve.port,
        prepare=lambda: folder.mkdir(parents=True, exist_ok=True),
    )


def flags(project: ProjectFile, handed_on: tuple[str, ...]) -> list[str]:
    """The settings below these names that flags gave; all others are read from where they came from."""
    from trilho.project.origins import explain, written

    found: list[str] = []
    for line in explain(project):
        if line.origin.source == "flag" and line.setting.startswith(handed_on):
            found += ["--set", f"{line.setting}={written(line.value, line.unit)}"]
    return found
