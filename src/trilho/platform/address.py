"""Where a project's tracking server is: the one its profile names, else the local one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trilho.errors import ServiceFailed
from trilho.platform.record import read_record
from trilho.platform.service import Say, record_path, silent
from trilho.platform.tracking import NAME, ensure_tracking

if TYPE_CHECKING:
    from trilho.project.file import ProjectFile


def server_address(project: ProjectFile, say: Say = silent) -> str:
    """The address of the project's tracking server; the local one is started if it does not run.

    Raises:
        ServiceFailed: the local server does not start.
    """
    return project.tracking_uri or ensure_tracking(project.state_dir, say=say)


def known_address(project: ProjectFile) -> str:
    """As `server_address`, but nothing is started: for who asks every few seconds, and can wait.

    Raises:
        ServiceFailed: the local server was not started, or was stopped.
    """
    if project.tracking_uri:
        return project.tracking_uri
    record = read_record(record_path(project.state_dir, NAME))
    if record is None:
        raise ServiceFailed("The local tracking server does not run.", remedy="Start it: trilho up")
    return record.address
