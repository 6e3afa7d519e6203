"""Where a project's tracking server is: the one its profile names, else the local one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trilho.platform.service import Say, silent
from trilho.platform.tracking import ensure_tracking

if TYPE_CHECKING:
    from trilho.project.file import ProjectFile


def server_address(project: ProjectFile, say: Say = silent) -> str:
    """The address of the project's tracking server; the local one is started if it does not run.

    Raises:
        ServiceFailed: the local server does not start.
    """
    return project.tracking_uri or ensure_tracking(project.state_dir, say=say)
