"""What leaves a worker, and when: with a transport that remembers."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from trilho.serving import outbox as outbox_module
from trilho.serving.connection import protocol
from trilho.serving.outbox import Joining, Outbox


@pytest.fixture(autouse=True)
def _clock_that_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is held leaves early once 5 ms have passed: also where the test itself was held up."""
    monkeypatch.setattr(outbox_module, "time", SimpleNamespace(perf_counter=lambda: 100.0))


class Remembering(asyncio.Transport):
    """Keeps each piece apart."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []
        self.closed = False

    def write(self, data: Any) -> None:
        assert not self.closed, "a closed transport takes nothing"
        self.pieces.append(bytes(data))

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def pause_reading(self) -> None:
        """All of it was handed over already."""

    def resume_reading(self) -> None:
        """As above."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return "its own" if name == "peercert" else default


def joining(outbox: Outbox | None = None, *, connections: int = 2) -> tuple[Remembering, Joining]:
    transport = Remembering()
    return transport, Joining(transport, asyncio.get_running_loop(), outbox or Outbox(), range(connections))


def test_head_and_body_leave_as_one_piece_when_the_turn_ends() -> None:
    async def scene() -> None:
        transport, joined = joining()
        joined.write(b"head ")
        joined.write(b"body")
        assert transport.pieces == []
        await asyncio.sleep(0)
        assert transport.pieces == [b"head body"]
        joined.write(b"another")
        await asyncio.sleep(0)
        assert transport.pieces == [b"head body", b"another"]

    asyncio.run(scene())


def test_only_connection_sends_head_and_body_as_one_piece_and_waits_for_nobody() -> None:
    async def scene() -> None:
        transport, joined = joining(connections=1)
        joined.write(b"head ")
        assert transport.pieces == []
        joined.write(b"body")
        assert transport.pieces == [b"head body"]
        await asyncio.sleep(0)
        joined.write(b"of no body")
        await asyncio.sleep(0)
        assert transport.pieces == [b"head body", b"of no body"]

    asyncio.run(scene())


def test_head_leaves_without_its_body_where_that_comes_later() -> None:
    async def scene() -> None:
        transport, joined = joining()
        joined.write(b"head of a stream")
        await asyncio.sleep(0)
        assert transport.pieces == [b"head of a stream"]

    asyncio.run(scene())


def test_closing_sends_what_is_held_first() -> None:
    async def scene() -> None:
        transport, joined = joining()
        joined.write(b"last words")
        joined.close()
        assert (transport.pieces, transport.closed) == ([b"last words"], True)
        await asyncio.sleep(0)
        assert transport.pieces == [b"last words"]

    asyncio.run(scene())


def test_connection_that_is_gone_gets_nothing_and_breaks_nothing() -> None:
    async def scene() -> None:
        outbox = Outbox()
        (gone, first), (there, second) = joining(outbox), joining(outbox)
        first.write(b"too late")
        second.write(b"in time")
        gone.closed = True
        await asyncio.sleep(0)
        assert (gone.pieces, there.pieces) == ([], [b"in time"])

    asyncio.run(scene())


def test_large_piece_does_not_wait_and_nothing_overtakes_it() -> None:
    async def scene() -> None:
        transport, joined = joining()
        large = b"x" * 100_000
        joined.write(b"head ")
        joined.write(large)
        assert transport.pieces == [b"head " + large]
        joined.write(b"next")
        await asyncio.sleep(0)
        assert transport.pieces[1:] == [b"next"]

    asyncio.run(scene())


def test_answer_waits_for_no_others_once_it_has_waited_long(monkeypatch: Any) -> None:
    async def scene() -> None:
        now = 100.0
        monkeypatch.setattr(outbox_module.time, "perf_counter", lambda: now)
        outbox = Outbox()
        several = [joining(outbox) for _ in range(3)]
        for place, (_, joined) in enumerate(several):
            joined.write(b"answer %d" % place)
            now += 0.004
        assert [transport.pieces for transport, _ in several] == [[b"answer 0"], [b"answer 1"], []]
        await asyncio.sleep(0)
        assert several[2][0].pieces == [b"answer 2"]

    asyncio.run(scene())


def test_everything_else_is_asked_of_the_transport_itself() -> None:
    async def scene() -> None:
        _, joined = joining()
        assert joined.get_extra_info("peercert") == "its own"
        assert not joined.is_closing()

    asyncio.run(scene())


def test_answers_to_requests_sent_at_once_come_in_order_each_in_one_piece() -> None:
    """Pipelining: three requests in one packet."""

    async def application(scope: Any, _receive: Any, send: Any) -> None:
        body = scope["path"].encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        await send({"type": "http.response.body", "body": body})

    async def scene() -> None:
        config = uvicorn.Config(application, lifespan="off", ws="none", log_config=None)
        config.load()
        kind: Any = protocol(connections=3, head_seconds=60, body_seconds=60)
        connection = kind(config=config, server_state=ServerState(), app_state={})
        transport = Remembering()
        connection.connection_made(transport)
        connection.data_received(b"".join(b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % number for number in range(3)))
        for _ in range(20):
            await asyncio.sleep(0)
        connection.connection_lost(None)
        for piece in transport.pieces:
            assert piece.startswith(b"HTTP/1.1 200")
        bodies = [part.partition(b"\r\n\r\n")[2] for part in b"".join(transport.pieces).split(b"HTTP/1.1 200 OK")[1:]]
        assert bodies == [b"/0", b"/1", b"/2"]

    asyncio.run(scene())
