"""A real server in a thread: the typed door over a real bundle, keys on where a test wants them."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest
import uvicorn

from shipped import KINDS, Shipped, all_numbers, categories_and_missing
from trilho.serving.app import App, Route
from trilho.serving.asking import Desk
from trilho.serving.bodies import Request, whole_body
from trilho.serving.counting import Counts
from trilho.serving.door import application
from trilho.serving.health import Health
from trilho.serving.keys import Keys
from trilho.serving.responses import Response
from trilho.serving.slot import Served, Slot
from trilho.serving.state import State


@dataclass
class Running:
    """A server that a test can look into."""

    address: str
    slot: Slot
    noted: list[Any] = field(default_factory=list)


@contextmanager
def running(shipped: Shipped | None, *, keys: tuple[str, ...] = (), port: int = 0) -> Iterator[Running]:
    served = None
    if shipped is not None:
        served = Served(predictor=shipped.predictor, name="tried", version="3", since=time.time())
    slot = Slot(served)
    desk = Desk(slot, Counts())
    found = Running("", slot)

    async def feedback(request: Request) -> Response:
        body = await whole_body(request, 1 << 20)
        assert isinstance(body, bytes)
        found.noted.append(msgspec.json.decode(body))
        return Response(status=202, body=b"{}")

    app = App(
        desk,
        {
            "/health": Route(method="GET", handler=Health(desk, state=State, together=lambda counts: counts).health),
            "/feedback": Route(method="POST", handler=feedback, guarded=True),
        },
        keys=Keys(keys),
        door=lambda now: application(desk, now),  # type: ignore[arg-type, return-value]
        door_paths={"/predict": True},
    )
    sock = socket.create_server(("127.0.0.1", port))
    found.address = f"http://127.0.0.1:{sock.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        yield found
    finally:
        server.should_exit = True
        thread.join()
        sock.close()


@pytest.fixture(scope="session", params=list(KINDS))
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """Each of the tables in turn."""
    return KINDS[request.param](tmp_path_factory.mktemp("shipped"))


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    return all_numbers(tmp_path_factory.mktemp("numbers"))


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    return categories_and_missing(tmp_path_factory.mktemp("words"))


@pytest.fixture
def server(numbers: Shipped) -> Iterator[Running]:
    with running(numbers) as found:
        yield found
