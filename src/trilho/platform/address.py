"""Where a project's tracking server is: the one its profile names, else the local one."""

from __future__ import annotations

from collections.abc import Callable

from trilho.platform.tracking import ensure_tracking
from trilho.project.file import ProjectFile


def server_address(project: ProjectFile, say: Callable[[str], None] = lambda _: None) -> str:
    """The address of the project's tracking server; the local one is started if it does not run.

    Raises:
        ServiceFailed: the local server does not start.
    """
    return project.tracking_uri or ensure_tracking(project.state_dir, say=say)
