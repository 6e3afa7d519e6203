"""The project's own watcher: trilho monitor, which looks at the journal again and again."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from trilho.platform.service import Service
from trilho.platform.serving import flags

if TYPE_CHECKING:
    from trilho.project.file import ProjectFile

NAME = "monitor"
PORT = 8010  # only its health is asked there
_HANDED_ON = (
    "monitor.",
    "register.name",
    "tracking_uri",
    "train.trusted_types",
    "evaluate.",
    "retrain.",
    "guard.",
    "serve.host",
    "serve.port",
)


def monitor_service(project: ProjectFile) -> Service:
    """What runs: the command a person would type, with what that person's flags said."""
    from trilho.settings import format_duration

    command = [sys.executable, "-m", "trilho.cli", "monitor", "--every", format_duration(project.monitor.every)]
    command += ["--project", str(project.root.resolve()), "--profile", project.profile, *flags(project, _HANDED_ON)]
    folder = project.state_dir.resolve() / "journal"
    return Service(
        name=NAME,
        state_dir=project.state_dir,
        command=tuple(command),
        folder=folder,
        port=PORT,
        prepare=lambda: folder.mkdir(parents=True, exist_ok=True),
    )
