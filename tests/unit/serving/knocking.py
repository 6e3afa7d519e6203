"""Asking the door without a server: one request through ASGI, as uvicorn would hand it over."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from typing import Any

from trilho.bundle import Predictor
from trilho.serving.asking import Desk
from trilho.serving.counting import Counts
from trilho.serving.door import application
from trilho.serving.slot import Served, Slot
from unit.serving.asking import Answer


def door_of(predictor: Predictor, **more: Any) -> Any:
    """The door's application for a model called "tried", version 12, whose answers nobody journals."""
    served = Served(predictor=predictor, name="tried", version="12", since=time.time())
    return application(Desk(Slot(served), Counts()), served, **more)


def knock(
    door: Any, method: str, path: str, body: bytes | Any = b"", headers: Mapping[str, str] | None = None
) -> Answer:
    """The answer; a body that is not bytes is sent as JSON."""
    given = {} if isinstance(body, bytes) else {"content-type": "application/json"}
    given |= {name.lower(): value for name, value in (headers or {}).items()}
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "http_version": "1.1",
        "server": ("127.0.0.1", 8000),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
    }
    coming = [{"type": "http.request", "body": raw, "more_body": False}]
    sent: list[Any] = []

    async def receive() -> Any:
        return coming.pop(0) if coming else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(door(scope, receive, send))
    start, *parts = sent
    return Answer(
        start["status"],
        {name.decode(): value.decode() for name, value in start["headers"]},
        b"".join(part.get("body", b"") for part in parts),
    )


def form(parts: Mapping[str, str | bytes]) -> tuple[bytes, dict[str, str]]:
    """A multipart body and its headers; bytes are files."""
    lines = []
    for name, value in parts.items():
        quoted = name.replace('"', "%22")
        file = '; filename="scan.png"' if isinstance(value, bytes) else ""
        data = value if isinstance(value, bytes) else value.encode()
        head = f'--border\r\ncontent-disposition: form-data; name="{quoted}"{file}\r\n\r\n'
        lines.append(head.encode() + data + b"\r\n")
    return b"".join(lines) + b"--border--\r\n", {"content-type": "multipart/form-data; boundary=border"}
