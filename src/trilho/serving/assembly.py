"""One worker's application, put together from its parts."""

from __future__ import annotations

from collections.abc import Callable

from trilho.serving.app import App, Route
from trilho.serving.asking import Desk
from trilho.serving.counting import Counts
from trilho.serving.doorway import PATHS, Doorway
from trilho.serving.health import Health
from trilho.serving.invocations import Invocations, Limits
from trilho.serving.keys import Keys
from trilho.serving.responses import Headers
from trilho.serving.state import State


def assembled(
    desk: Desk,
    *,
    keys: Keys | None = None,
    limits: Limits | None = None,
    concurrency: int = 512,
    state: Callable[[], State] = State,
    together: Callable[[Counts], Counts] = lambda counts: counts,
    headers: Headers = (),
) -> App:
    """The application that answers for `desk`.

    Args:
        state: What the parent process knows, for /health and /metrics.
        together: This worker's counts with those of the others (`counting.Folder.together`).
        concurrency: Requests for predictions at once; beyond that 429.
        headers: On every answer.
    """
    limits, keys = limits or Limits(), keys or Keys()
    health = Health(desk, state=state, together=together)
    routes = {
        "/invocations": Route(method="POST", handler=Invocations(desk, limits), guarded=True),
        "/ping": Route(method="GET", handler=health.ping),
        "/health": Route(method="GET", handler=health.health),
        "/version": Route(method="GET", handler=health.version),
        "/metrics": Route(method="GET", handler=health.metrics),
    }
    return App(
        desk,
        routes,
        keys=keys,
        door=Doorway(desk, keys=bool(keys), limits=limits, state=state),
        door_paths=PATHS,
        concurrency=concurrency,
        headers=headers,
    )
