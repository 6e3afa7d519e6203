"""Requests at a given rate, whether or not the ones before are answered: what users who do not wait for each other see.

A latency counts from the moment at which the request was due, not from when a connection was free for it, so that a
server which stalls cannot hide it (wrk and hey would wait with it). The load comes from a process of its own:

    python open_loop.py PORT BODY RATE SECONDS

prints one line of JSON. `late` is the share of requests that this process itself came to more than 1 ms too late.
"""

from __future__ import annotations

import asyncio
import gc
import json
import selectors
import subprocess
import sys
import time
from collections import deque
from pathlib import Path

from closed_loop import Load
from servers import HEADERS, Running

CONNECTIONS = 256  # at most; beyond it requests wait here, and the wait counts
GRACE = 5  # seconds for the last answers


def open_loop(running: Running, *, rows: int, rate: int, seconds: float) -> Load:
    """Load at `rate` requests a second for so long."""
    command = [sys.executable, __file__, str(running.port), running.model.body(rows), str(rate), str(seconds)]
    done = subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    said = json.loads(done.stdout)
    return Load(rate=said["rate"], p50=said["p50"], p99=said["p99"], failed=said["failed"], late=said["late"])


# ----------------------------------------------------------------------------------------------------------------------


class _Connection(asyncio.Protocol):
    """One kept-alive connection, one request at a time."""

    def __init__(self, generator: _Generator) -> None:
        self.generator = generator
        self.due = 0.0
        self._seen = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def ask(self, request: bytes, due: float) -> None:
        self.due = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._seen += data
        head, found, body = self._seen.partition(b"\r\n\r\n")
        if not found or not _whole(head, body):
            return
        self._seen = b""
        self.generator.answered(self, right=head.startswith(b"HTTP/1.1 2"))

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's protocol
        self.generator.lost(self)


class _Generator:
    def __init__(self, port: int, body: bytes, rate: float, seconds: float) -> None:
        self._port, self._rate, self._seconds = port, rate, seconds
        lines = [f"Host: 127.0.0.1:{port}", f"Content-Length: {len(body)}", *(f"{k}: {v}" for k, v in HEADERS.items())]
        self._request = "\r\n".join(["POST /invocations HTTP/1.1", *lines, "", ""]).encode() + body
        self._free: list[_Connection] = []
        self._waiting: deque[float] = deque()
        self._opened = self._flying = 0
        self.latencies: list[float] = []
        self.failed = self.late = self.sent = 0
        self.last = 0.0

    async def run(self) -> dict[str, float]:
        loop, opening = asyncio.get_running_loop(), []
        for _ in range(16):
            await self._open()
        began = time.perf_counter() + 0.05
        total = int(self._rate * self._seconds)
        for number in range(total):
            due = began + number / self._rate
            ahead = due - time.perf_counter()
            if ahead > 0:
                await asyncio.sleep(ahead)
            self.late += time.perf_counter() - due > 1e-3
            self._send(due)
            if not self._free and self._opened < CONNECTIONS:
                opening.append(loop.create_task(self._open()))
        until = time.perf_counter() + GRACE
        while (self._flying or self._waiting) and time.perf_counter() < until:
            await asyncio.sleep(0.01)
        unanswered = total - len(self.latencies) - self.failed
        found = sorted([*self.latencies, *[GRACE * 1e3] * unanswered])
        return {
            "rate": len(self.latencies) / max(self.last - began, 1e-9),
            "p50": found[len(found) // 2] if found else float("nan"),
            "p99": found[min(len(found) - 1, int(len(found) * 0.99))] if found else float("nan"),
            "failed": self.failed + unanswered,
            "late": self.late / total,
        }

    def answered(self, connection: _Connection, *, right: bool) -> None:
        self.last = time.perf_counter()
        self._flying -= 1
        if right:
            self.latencies.append((self.last - connection.due) * 1e3)
        else:
            self.failed += 1
        self._free.append(connection)
        self._next()

    def lost(self, connection: _Connection) -> None:
        self._opened -= 1
        if connection in self._free:
            self._free.remove(connection)
        elif connection.due:
            self._flying -= 1
            self.failed += 1

    async def _open(self) -> None:
        self._opened += 1
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(self), "127.0.0.1", self._port
            )
        except OSError:
            self._opened -= 1
            return
        self._free.append(connection)
        self._next()

    def _send(self, due: float) -> None:
        self._waiting.append(due)
        self._next()

    def _next(self) -> None:
        while self._waiting and self._free:
            self._flying += 1
            self._free.pop().ask(self._request, self._waiting.popleft())


def _whole(head: bytes, body: bytes) -> bool:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return len(body) >= int(line.partition(b":")[2])
    return body.endswith(b"0\r\n\r\n")  # in chunks


def main() -> None:
    gc.disable()
    port, body, rate, seconds = sys.argv[1:]
    generator = _Generator(int(port), Path(body).read_bytes(), float(rate), float(seconds))
    # epoll and uvloop wait for whole milliseconds; select waits for microseconds.
    with asyncio.Runner(loop_factory=lambda: asyncio.SelectorEventLoop(selectors.SelectSelector())) as runner:
        print(json.dumps(runner.run(generator.run())))


if __name__ == "__main__":
    main()
