"""An event whose answer was lost is never written a second time."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from trilho.errors import ServerRefused
from trilho.registry import patience
from trilho.registry.mlflow_store import MlflowVersionStore
from trilho.registry.version import Event
from trilho.wire import connect


class Losing(ThreadingHTTPServer):
    """Behind a proxy that has trouble: it writes each version, and whoever asks hears 503."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.written: list[dict[str, object]] = []


class Handler(BaseHTTPRequestHandler):
    server: Losing

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path.endswith("model-versions/create"):
            self.server.written.append(body)
        self.refuse()

    def do_GET(self) -> None:
        self.refuse()

    def refuse(self) -> None:
        text = b'{"error_code": "TEMPORARILY_UNAVAILABLE", "message": "database is locked"}'
        self.send_response(503)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def losing() -> Iterator[Losing]:
    with Losing() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_where_nobody_can_tell_whether_it_arrived_it_is_not_sent_again(
    losing: Losing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(patience, "LONGEST_PAUSE", 0.0)
    event = Event(kind="promoted", before=None, after=1, who="ana", when=1.0, why="")
    with connect(f"http://127.0.0.1:{losing.server_port}") as client, pytest.raises(ServerRefused) as caught:
        MlflowVersionStore(client).append_event("churn", event)
    assert len(losing.written) == 1
    assert str(caught.value).count("asked 8 times") == 1
