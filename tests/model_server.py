"""A model server in a thread: the real application over a real bundle."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn

from shipped import Shipped
from trilho.serving.asking import Desk
from trilho.serving.assembly import assembled
from trilho.serving.counting import Counts
from trilho.serving.keys import Keys
from trilho.serving.slot import Served, Slot


@dataclass
class Running:
    """A server that a test can look into: the model in its slot, and the feedback that came."""

    address: str
    slot: Slot
    noted: list[Any] = field(default_factory=list)


@contextmanager
def running(
    shipped: Shipped | None, *, version: str = "3", keys: tuple[str, ...] = (), port: int = 0
) -> Iterator[Running]:
    """Serve a bundle, or nothing yet, on a free port."""
    served = None
    if shipped is not None:
        served = Served(predictor=shipped.predictor, name="tried", version=version, since=time.time())
    slot = Slot(served)
    sock = socket.create_server(("127.0.0.1", port))
    found = Running(f"http://127.0.0.1:{sock.getsockname()[1]}", slot)
    app = assembled(Desk(slot, Counts()), keys=Keys(keys))

    async def noting(scope: Any, receive: Any, send: Any) -> None:
        """Feedback is noted here, where a test can see it; all else is the application's."""
        if scope["path"] != "/feedback":
            return await app(scope, receive, send)
        found.noted.append(json.loads((await receive())["body"]))
        await send({"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"2")]})
        return await send({"type": "http.response.body", "body": b"{}"})

    server = uvicorn.Server(uvicorn.Config(noting, log_config=None, access_log=False, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        yield found
    finally:
        server.should_exit = True
        thread.join()
        sock.close()
