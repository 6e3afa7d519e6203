"""Health of a service that answers no questions: all that runs here is asked whether it lives in the same way."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from trilho.platform.record import read_record
from trilho.platform.service import HOST, ID_HEADER

MISSES = 3  # looks at a record that no longer names us, before that is believed


class Heartbeat:
    """What a service knows of itself.

    Args:
        record, service_id: As supervision gave them on the command line; without a record a person started it.
    """

    def __init__(self, record: Path | None, service_id: str) -> None:
        self._record, self._id = record, service_id
        self._gone = threading.Event()
        self._misses = 0

    def wait(self, seconds: float) -> bool:
        """Wait, but no longer than somebody wants this service. False once nobody does.

        Raises KeyboardInterrupt as any wait does.
        """
        while seconds > 0 and self.wanted():
            pause = min(seconds, 2.0)
            self._gone.wait(pause)
            seconds -= pause
        return self.wanted()

    def wanted(self) -> bool:
        """Is the record there, and ours?"""
        if self._record is None:
            return True
        found = read_record(self._record)
        self._misses = 0 if found is not None and found.id == self._id else self._misses + 1
        return self._misses < MISSES


@contextmanager
def answering(port: int, service_id: str) -> Iterator[None]:
    """Answer 200 on every path, with the id that supervision asks for, from a thread of its own.

    Raises:
        OSError: the port is taken.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = b'{"status": "ok"}\n'
            self.send_response(200)
            self.send_header(ID_HEADER, service_id)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: supervision asks often."""

    server = ThreadingHTTPServer((HOST, port), Handler)
    threading.Thread(target=server.serve_forever, name="trilho-heartbeat", daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
