"""Which services a project has, and by which names they go."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from trilho.errors import UnknownName
from trilho.platform.monitoring import monitor_service
from trilho.platform.record import recorded_names
from trilho.platform.service import Service
from trilho.platform.serving import serving_service
from trilho.platform.tracking import tracking_service

if TYPE_CHECKING:
    from trilho.project.file import ProjectFile


def services(project: ProjectFile) -> tuple[Service, ...]:
    """What `trilho up` starts for this project, in order: no tracking server where the profile names one elsewhere."""
    own = (serving_service(project), monitor_service(project))
    return own if project.tracking_uri else (tracking_service(project.state_dir), *own)


def known_names(project: ProjectFile) -> list[str]:
    """The names that `trilho ps` shows: of what the project has, and of what was started and not stopped."""
    names = [service.name for service in services(project)]
    return names + [name for name in recorded_names(project.state_dir) if name not in names]


def check_name(name: str, known: list[str]) -> None:
    """Nothing, if there is such a service. Raises UnknownName."""
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise UnknownName(
            f"There is no service '{name}'." + (f" Did you mean '{near[0]}'?" if near else ""),
            remedy=f"Name one of these: {', '.join(known)}." if known else "Start one: trilho up",
        )
