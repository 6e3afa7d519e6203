"""Answers leave together: the head of each with its body, and those of one turn of the event loop one after the other.

uvicorn sends head and body apart and at once. Each piece is a call of the system, and each wakes the client, which
takes the processor's caches, or the processor, from the requests that are next: a third of what a short request costs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sized
from typing import Any

_LONGEST = 0.005  # seconds that an answer waits for others
_LARGE = 64 << 10  # bytes that leave at once


class Outbox:
    """What the connections of one event loop have to send before its turn ends."""

    def __init__(self) -> None:
        self._full: list[Joining] = []
        self._since = 0.0

    def add(self, transport: Joining, loop: asyncio.AbstractEventLoop) -> None:
        """See to it that the transport sends what it holds, soon."""
        now = time.perf_counter()
        if self._full and now - self._since > _LONGEST:
            self.empty()
        if not self._full:
            self._since = now
            loop.call_soon(self.empty)
        self._full.append(transport)

    def empty(self) -> None:
        """Send all of it."""
        full, self._full = self._full, []
        for transport in full:
            transport.flush()


class Joining:
    """A transport that holds what is written to it until the outbox is emptied; otherwise the one that it is given.

    Args:
        connections: All that are open. The only one waits for nobody: it sends with the second piece, the body.
    """

    def __init__(
        self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop, outbox: Outbox, connections: Sized
    ) -> None:
        self._transport = transport
        self._loop = loop
        self._outbox = outbox
        self._connections = connections
        self._held: list[bytes] = []

    def write(self, data: bytes) -> None:
        held = self._held
        if not held:
            self._outbox.add(self, self._loop)
        held.append(data)
        if len(data) > _LARGE or (len(held) > 1 and len(self._connections) == 1):
            self.flush()

    def flush(self) -> None:
        held, self._held = self._held, []
        if held and not self._transport.is_closing():
            self._transport.write(b"".join(held))

    def close(self) -> None:
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
