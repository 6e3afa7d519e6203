from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho.errors import ServerUnreachable
from trilho.monitoring import Counted, Reading, read_counts
from trilho.monitoring.server_counts import parse_counts
from trilho.serving.counting import SECONDS, Counts, Tally
from trilho.serving.exposition import exposed
from trilho.serving.state import State


def served(*seconds: float, model: str = "shop", version: str = "2", failed: int = 0, into: Counts) -> None:
    """Requests of two rows each, as a server counts them."""
    tally = Tally(into, f"{model}\n{version}", {0: "leaves", 1: "stays"})
    for one in seconds:
        tally.model.observe(one)
        tally.add([0, 1])
    for _ in range(failed):
        tally.fail()


def text(counts: Counts, version: str = "2") -> str:
    return exposed(counts, State(name="shop", version=version)).decode()


def test_what_the_server_exposes_is_read_by_version() -> None:
    counts = Counts()
    served(0.002, 0.002, 30.0, failed=3, into=counts)
    served(0.1, version="1", into=counts)
    served(0.1, model="other", version="2", into=counts)
    found = parse_counts(text(counts), "shop")
    assert found.in_charge == "2"
    assert found.versions.keys() == {"1", "2"}
    new = found.of("2")
    assert (new.answered, new.failed, new.asked, new.rows) == (3, 3, 6, 6)
    assert new.seconds == pytest.approx(30.004)
    assert {edge: count for edge, count in new.buckets.items() if count} == {0.0025: 2, float("inf"): 1}
    assert found.of("7") == Counted()


def test_version_that_failed_at_everything_is_read_too() -> None:
    counts = Counts()
    served(failed=4, into=counts)
    assert parse_counts(text(counts), "shop").of("2").asked == 4


@given(st.lists(st.floats(0, 20), max_size=30))
def test_buckets_hold_each_request_once(seconds: list[float]) -> None:
    counts = Counts()
    served(*seconds, into=counts)
    found = parse_counts(text(counts), "shop").of("2")
    assert sum(found.buckets.values()) == len(seconds) == found.answered
    assert [found.buckets[edge] for edge in SECONDS if edge in found.buckets] == [
        sum(lower < one <= edge for one in seconds) + (lower == 0 and seconds.count(0))
        for lower, edge in zip((0.0, *SECONDS), SECONDS, strict=False)
    ]


def test_server_without_a_model_has_none_in_charge() -> None:
    assert parse_counts(exposed(Counts(), State()).decode(), "shop") == Reading()


@pytest.fixture
def somebody() -> Iterator[int]:
    """A server that is not ours, on this port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>}{ 1 2 3\xff")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_somebody_else_at_that_address_is_told_from_a_model_server(somebody: int) -> None:
    with pytest.raises(ServerUnreachable, match="does not say how it is"):
        read_counts("0.0.0.0", somebody, "shop")


def test_server_that_is_down_is_said() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        with pytest.raises(ServerUnreachable, match="does not say how it is"):
            read_counts("127.0.0.1", probe.getsockname()[1], "shop")
