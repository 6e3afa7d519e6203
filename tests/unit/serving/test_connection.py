"""Connections that say nothing, or too slowly, or that are too many: over real sockets, with short deadlines."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn

from trilho.serving.connection import protocol

PING = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"


async def application(_scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        continue
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def port() -> Iterator[int]:
    """A server that gives the head of a request 0.3 s, its body 1 s, and has 3 places."""
    with running(head_seconds=0.3, body_seconds=1.0) as found:
        yield found


@pytest.fixture
def patient() -> Iterator[int]:
    """The same, for what is to be in time on a busy machine, too."""
    with running(head_seconds=60.0, body_seconds=60.0) as found:
        yield found


@contextmanager
def running(*, head_seconds: float, body_seconds: float) -> Iterator[int]:
    sock = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application,
        http=protocol(connections=3, head_seconds=head_seconds, body_seconds=body_seconds),  # type: ignore[arg-type]
        lifespan="off",
        ws="none",
        log_config=None,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    yield sock.getsockname()[1]
    server.should_exit = True
    thread.join()
    sock.close()


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=60)


def answer(sock: socket.socket) -> tuple[int, bytes]:
    found = http.client.HTTPResponse(sock)
    found.begin()
    return found.status, found.read()


def test_connection_that_says_nothing_is_closed(port: int) -> None:
    with connect(port) as silent:
        assert silent.recv(100) == b""


@pytest.mark.parametrize("part", [b"G", b"GET /ping HTTP/1.1\r\n", PING[:-2]])
def test_head_that_stops_half_way_is_answered_408(port: int, part: bytes) -> None:
    with connect(port) as slow:
        slow.sendall(part)
        status, body = answer(slow)
        assert (status, json.loads(body)["error_code"]) == (408, "REQUEST_TIMEOUT")
        assert slow.recv(1) == b""


def test_second_head_on_a_kept_connection_has_a_deadline_too(port: int) -> None:
    with connect(port) as kept:
        kept.sendall(PING)
        assert answer(kept) == (200, b"ok")
        kept.sendall(PING[:9])
        assert answer(kept)[0] == 408


def test_blank_lines_between_requests_keep_no_connection_open(port: int) -> None:
    with connect(port) as kept:
        kept.sendall(PING)
        assert answer(kept) == (200, b"ok")
        kept.sendall(b"\r\n")
        assert kept.recv(100) == b""


def test_head_in_pieces_within_the_deadline_is_answered(patient: int) -> None:
    with connect(patient) as sock:
        for place in range(0, len(PING), 9):
            sock.sendall(PING[place : place + 9])
        assert answer(sock) == (200, b"ok")


def test_body_has_a_longer_deadline_of_its_own() -> None:
    with running(head_seconds=0.3, body_seconds=60.0) as port, connect(port) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        sock.settimeout(0.5)
        with pytest.raises(TimeoutError):
            sock.recv(1)
        sock.settimeout(60)
        sock.sendall(b"cd")
        assert answer(sock) == (200, b"ok")
        sock.sendall(PING)
        assert answer(sock) == (200, b"ok")


def test_body_that_stops_half_way_is_answered_408(port: int) -> None:
    with connect(port) as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nab")
        assert answer(sock)[0] == 408
        assert sock.recv(1) == b""


def test_connections_beyond_the_places_are_told_so_and_others_go_on(patient: int) -> None:
    taken = [connect(patient) for _ in range(3)]
    for sock in taken:
        sock.sendall(PING)
        assert answer(sock)[0] == 200
    with connect(patient) as late:
        late.sendall(PING)
        status, body = answer(late)
        assert (status, json.loads(body)["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
        assert late.recv(1) == b"", "and closed"
    taken[1].sendall(PING)
    assert answer(taken[1])[0] == 200
    for sock in taken:
        sock.close()
