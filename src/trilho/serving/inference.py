"""/v2 and every path below it: the Open Inference Protocol."""

from __future__ import annotations

from trilho.serving.asking import Desk
from trilho.serving.bodies import Request, whole_body
from trilho.serving.invocations import Limits
from trilho.serving.responses import Response


class Inference:
    """Hands requests to the protocol, which is loaded with the first of them."""

    def __init__(self, desk: Desk, limits: Limits) -> None:
        self._desk, self._limits = desk, limits

    async def __call__(self, request: Request) -> Response | None:
        from trilho.serving import v2

        body = await whole_body(request, self._limits.body_bytes)
        if body is None or isinstance(body, Response):
            return body
        return await v2.respond(request.scope, body, self._desk, request.served, rows=self._limits.rows)
