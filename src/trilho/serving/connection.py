"""One connection to a worker: who says nothing, or too slowly, or comes when all places are taken, holds nobody up."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from trilho.serving.outbox import Joining, Outbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn._types import ASGIReceiveCallable, ASGISendCallable, Scope

_FULL = msgspec.json.encode(
    {
        "error_code": "TEMPORARILY_UNAVAILABLE",
        "message": "All connections of this server are taken. Ask again in a moment, or keep fewer open.",
    }
)
_SLOW = msgspec.json.encode({"error_code": "REQUEST_TIMEOUT", "message": "The request did not come in time."})


def protocol(*, connections: int, head_seconds: float, body_seconds: float) -> Callable[..., asyncio.Protocol]:
    """What uvicorn makes for each connection.

    Args:
        connections: Beyond so many at once, requests are answered 503 and their connection is closed.
        head_seconds: A request's line and headers must be whole so long after its first byte, or after the connection
            was made: else 408 where something came, and the connection is closed.
        body_seconds: The same for its body, from the end of the head on.
    """

    outbox = Outbox()

    class Connection(HttpToolsProtocol):
        """uvicorn's own, with a deadline for the head of a request, an end to the places, and answers in one piece."""

        _deadline: asyncio.TimerHandle | None = None
        _has_head = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            self.transport = Joining(transport, self.loop, outbox, self.connections)  # type: ignore[assignment]
            self._deadline = self.loop.call_later(head_seconds, self._too_slow)
            if len(self.connections) > connections:
                self.app = _full

        def connection_lost(self, exc: Exception | None) -> None:
            self._forget()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            cycle: Any = self.cycle  # None before the first request, whatever its type says
            if cycle is not None and cycle.scope is self.scope and not cycle.response_complete:
                if not cycle.more_body:
                    if self._deadline is not None:
                        self._forget()
                elif not self._has_head:  # the head is whole, the body is not
                    self._forget()
                    self._has_head = True
                    self._deadline = self.loop.call_later(body_seconds, self._too_slow)
            elif self._deadline is None:
                self._deadline = self.loop.call_later(head_seconds, self._too_slow)

        def _forget(self) -> None:
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None
            self._has_head = False

        def _too_slow(self) -> None:
            self._deadline = None
            if self.transport.is_closing():
                return
            scope: Any = self.scope  # None as long as nothing came
            cycle: Any = self.cycle
            if scope is not None and (cycle is None or cycle.scope is not scope or not cycle.response_started):
                head = b"HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nconnection: close\r\n"
                self.transport.write(head + b"content-length: %d\r\n\r\n" % len(_SLOW) + _SLOW)
            self.transport.close()

    return Connection


# ----------------------------------------------------------------------------------------------------------------------


async def _full(_scope: Scope, _receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_FULL)).encode()),
        (b"connection", b"close"),
        (b"retry-after", b"1"),
    ]
    start: Any = {"type": "http.response.start", "status": 503, "headers": headers}
    body: Any = {"type": "http.response.body", "body": _FULL}
    await send(start)
    await send(body)
