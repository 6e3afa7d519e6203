"""Undo a promotion that the guard found fault with, and the history by which it knows of one."""

from __future__ import annotations

from collections.abc import Callable

from trilho import registry
from trilho.project.file import ProjectFile
from trilho.wire import connect

WHO = "trilho guard"
SECONDS = 10.0  # for one answer of the registry

Say = Callable[[str], None]


def past(project: ProjectFile, server: Callable[[Say], str]) -> tuple[registry.Event, ...]:
    """What happened to the project's model, oldest first. Raises ServerUnreachable, ServerRefused."""
    with connect(server(_silent), seconds=SECONDS) as client:
        return registry.history(registry.open_store(client), project.register.name)


def go_back(
    project: ProjectFile, server: Callable[[Say], str], promotion: registry.Event, *, why: str
) -> registry.Event:
    """Make the champion before a promotion champion again, if the promoted one still is; the event in the history.

    Raises:
        PromotionContested: the champion is another one by now.
        VersionNotFound: the ones before it are deleted.
    """
    with connect(server(_silent), seconds=SECONDS) as client:
        return registry.rollback(
            registry.open_store(client),
            project.register.name,
            who=WHO,
            why=why,
            only_from=promotion.after,
            stages=project.register.stages,
        )


def _silent(_: str) -> None:
    return
