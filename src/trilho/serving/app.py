"""The routes, and who may take them. A raw ASGI application: no framework on the way to the model.

Page, documentation and the typed door are FastAPI's; they are loaded with the first request for one of them.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from trilho.serving.asking import Desk
from trilho.serving.bodies import Message, Receive, Request, Send
from trilho.serving.counting import Histogram
from trilho.serving.keys import Keys
from trilho.serving.responses import Headers, Response, no_model, refusal
from trilho.serving.slot import Served
from trilho.serving.v2.paths import is_infer

Handler = Callable[[Request], Awaitable[Response | None]]
Asgi = Callable[[Message, Receive, Send], Awaitable[None]]

FILES = "/static/"  # of the door
OPEN_INFERENCE, INFER = "/v2", "/v2/infer"  # the names of all paths below /v2: those that ask the model, and others
OTHER = "other"
ANY = "*"  # method: the handler sees to it

_log = logging.getLogger("trilho.serving")


@dataclass(frozen=True, kw_only=True)
class Route:
    """`guarded` routes need a key where there are keys, a model in charge, and a free place."""

    method: str
    handler: Handler
    guarded: bool = False


class App:
    """Finds the route of a request, and counts what came of it.

    Args:
        routes: By path.
        door: Finds the application for its own paths.
        door_paths: These paths (and files below FILES), and whether they are guarded.
        concurrency: Guarded requests at once; beyond that 429.
        headers: On every answer.
    """

    def __init__(
        self,
        desk: Desk,
        routes: dict[str, Route],
        *,
        keys: Keys | None = None,
        door: Callable[[Served | None], Awaitable[Asgi]] | None = None,
        door_paths: dict[str, bool] | None = None,
        concurrency: int = 512,
        headers: Headers = (),
    ) -> None:
        self.desk = desk
        self._routes = routes
        self._keys = keys or Keys()
        self._door = door
        self._door_paths = door_paths or {}
        self._concurrency = concurrency
        self._headers = headers
        self._flying = 0
        self._counted: dict[tuple[str, str, int], tuple[str, Histogram]] = {}

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        path = scope["path"]
        served = self.desk.slot.served
        request = Request(scope=scope, headers=dict(scope["headers"]), receive=receive, served=served)
        name = path if path in self._routes else self._named(path)
        route = self._routes.get(name)
        try:
            if route is None and self._door is not None and name != OTHER:
                response = await self._through_the_door(request, send)
            elif (response := self._refused(request, route)) is None and route is not None:
                self._flying += 1
                try:
                    response = await route.handler(request)
                finally:
                    self._flying -= 1
        except Exception:
            _log.exception("%s %s failed", scope["method"], path)
            response = refusal(500, "The server failed; its log says why.")
        if response is None:
            return  # the client is gone, or the door has answered
        head = [(b"content-type", response.content_type), (b"content-length", b"%d" % len(response.body))]
        if served is not None:
            head.append((b"x-model-version", served.header))
        head += response.headers
        head += self._headers
        await send({"type": "http.response.start", "status": response.status, "headers": head})
        await send({"type": "http.response.body", "body": response.body})
        self._count(scope["method"], name, response.status, time.perf_counter() - began)

    def _named(self, path: str) -> str:
        """Under which name a path that is no route of ours is found and counted: no name comes from strangers."""
        if path.startswith(f"{OPEN_INFERENCE}/"):
            return INFER if is_infer(path) else OPEN_INFERENCE
        if path in self._door_paths:
            return path
        return FILES if path.startswith(FILES) and self._door is not None else OTHER

    def _refused(self, request: Request, route: Route | None) -> Response | None:
        """Why the request may not pass."""
        method = request.scope["method"]
        if route is None:
            path = request.scope["path"][:200]
            return refusal(404, f"There is no {path}. There are: {', '.join([*self._door_paths, *self._routes])}.")
        if method != route.method and route.method != ANY and not (method == "HEAD" and route.method == "GET"):
            path = request.scope["path"]
            return refusal(405, f"{path} takes {route.method}.", headers=((b"allow", route.method.encode()),))
        return self._kept_out(request) if route.guarded else None

    def _kept_out(self, request: Request) -> Response | None:
        if self._keys and not self._keys.allow(request.headers):
            message = "This server wants an API key: X-API-Key: KEY, or Authorization: Bearer KEY."
            return refusal(401, message, headers=((b"www-authenticate", b"Bearer"),))
        if request.served is None:
            return no_model()
        if self._flying >= self._concurrency:
            message = f"{self._flying} requests are being answered already. Ask again in a moment."
            return refusal(429, message, headers=((b"retry-after", b"1"),))
        return None

    async def _through_the_door(self, request: Request, send: Send) -> Response | None:
        """Hand the request to the door; a refusal where it may not pass."""
        began = time.perf_counter()
        guarded = self._door_paths.get(request.scope["path"], False)
        problem = self._kept_out(request) if guarded else None
        if problem is not None or self._door is None:
            return problem
        served = request.served
        version = () if served is None else ((b"x-model-version", served.header),)
        status = 0

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), *version, *self._headers]
            await send(message)

        self._flying += guarded
        try:
            application = await self._door(served)
            await application(request.scope, request.receive, watched)
        except Exception:
            if not status:
                raise
            _log.exception("%s failed in the middle of an answer", request.scope["path"])
        finally:
            self._flying -= guarded
        self._count(request.scope["method"], self._named(request.scope["path"]), status, time.perf_counter() - began)
        return None

    def _count(self, method: str, name: str, status: int, seconds: float) -> None:
        found = self._counted.get((method, name, status))
        if found is None:
            key, counts = f"{method}\n{name}", self.desk.counts
            found = (f"{key}\n{status}", counts.durations.setdefault(key, Histogram()))
            counts.requests.setdefault(found[0], 0)
            self._counted[method, name, status] = found
        self.desk.counts.requests[found[0]] += 1
        found[1].observe(seconds)
