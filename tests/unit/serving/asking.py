"""Asking an ASGI app without a server, with whatever pieces and endings a test wants."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trilho.serving.app import App


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def ask(
    app: App,
    method: str,
    path: str,
    *pieces: bytes,
    content_type: str | None = "application/json",
    headers: Sequence[tuple[str, str]] = (),
    gone: bool = False,
) -> Answer | None:
    """One request whose body comes in `pieces`; None where the app sent nothing (`gone`: the client left)."""
    return asyncio.run(asking(app, method, path, *pieces, content_type=content_type, headers=headers, gone=gone))


async def asking(
    app: App,
    method: str,
    path: str,
    *pieces: bytes,
    content_type: str | None = "application/json",
    headers: Sequence[tuple[str, str]] = (),
    gone: bool = False,
) -> Answer | None:
    given = [*headers, *([("content-type", content_type)] if content_type is not None else [])]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "scheme": "http",
        "http_version": "1.1",
        "headers": [(name.encode(), value.encode()) for name, value in given],
    }
    coming: list[dict[str, Any]] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    coming.append({"type": "http.disconnect"} if gone else {"type": "http.request", "body": b"", "more_body": False})
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return coming.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    if not sent:
        return None
    start, *bodies = sent
    assert [message["type"] for message in sent] == ["http.response.start", *["http.response.body"] * len(bodies)]
    body = b"".join(message.get("body", b"") for message in bodies)
    return Answer(start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body)
