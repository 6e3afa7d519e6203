"""One worker's application, put together from its parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from trilho.serving.app import ANY, INFER, OPEN_INFERENCE, App, Asgi, Route
from trilho.serving.asking import Desk
from trilho.serving.counting import Counts
from trilho.serving.doorway import PATHS, Doorway
from trilho.serving.health import Health
from trilho.serving.inference import Inference
from trilho.serving.invocations import Invocations, Limits
from trilho.serving.keys import Keys
from trilho.serving.reported import Found, Reported
from trilho.serving.responses import Headers
from trilho.serving.state import State
from trilho.serving.taking_feedback import TakingFeedback


def assembled(
    desk: Desk,
    *,
    journal: Path | None = None,
    keys: Keys | None = None,
    limits: Limits | None = None,
    concurrency: int = 512,
    origins: Sequence[str] = (),
    state: Callable[[], State] = State,
    together: Callable[[Counts], Counts] = lambda counts: counts,
    headers: Headers = (),
) -> Asgi:
    """The application that answers for `desk`.

    Args:
        journal: Where true labels are written, and monitoring's reports are; None: nobody takes any.
        state: What the parent process knows, for /health and /metrics.
        together: This worker's counts with those of the others (`counting.Folder.together`).
        concurrency: Requests for predictions at once; beyond that 429.
        origins: Whose pages a browser lets ask this server; with none, only its own.
        headers: On every answer.
    """
    limits, keys = limits or Limits(), keys or Keys()
    inference = Inference(desk, limits)
    reported = Found if journal is None else Reported(journal)
    health = Health(desk, state=state, together=together, reported=reported)
    routes = {
        "/invocations": Route(method="POST", handler=Invocations(desk, limits), guarded=True),
        OPEN_INFERENCE: Route(method=ANY, handler=inference),
        INFER: Route(method=ANY, handler=inference, guarded=True),
        "/ping": Route(method="GET", handler=health.ping),
        "/health": Route(method="GET", handler=health.health),
        "/version": Route(method="GET", handler=health.version),
        "/metrics": Route(method="GET", handler=health.metrics),
    }
    if journal is not None:
        feedback = TakingFeedback(journal, body_bytes=limits.body_bytes)
        routes["/feedback"] = Route(method="POST", handler=feedback, guarded=True)
    app: Asgi = App(
        desk,
        routes,
        keys=keys,
        door=Doorway(desk, keys=bool(keys), limits=limits, state=state),
        door_paths=PATHS,
        concurrency=concurrency,
        headers=headers,
    )
    return _open_to(app, origins) if origins else app


# ----------------------------------------------------------------------------------------------------------------------


def _open_to(app: Asgi, origins: Sequence[str]) -> Asgi:
    from starlette.middleware.cors import CORSMiddleware

    asking = ("authorization", "content-type", "x-api-key")
    told = ("x-model-version", "x-prediction-id")
    return CORSMiddleware(
        app, allow_origins=origins, allow_methods=("GET", "POST"), allow_headers=asking, expose_headers=told
    )
