"""One process that answers: the app in a uvicorn server, on a socket that somebody else opened."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import uvicorn

from trilho.journal import Journal
from trilho.serving.asking import Desk
from trilho.serving.assembly import assembled
from trilho.serving.counting import Counts
from trilho.serving.slot import Served, Slot

STOP_SECONDS = 30  # what is in flight may take this long after the signal to stop


def work(sock: socket.socket, served: Served, *, journal: Path, share: float = 1.0) -> None:
    """Answer until SIGINT or SIGTERM; then finish what is in flight, write the journal, return.

    Args:
        journal: The folder of the journal.
        share: Of the requests that are journaled; at 0 nothing is.
    """
    written = Journal(journal) if share > 0 else None
    try:
        server = uvicorn.Server(
            uvicorn.Config(
                assembled(Desk(Slot(served), Counts(), written, share=share)),
                loop="uvloop" if find_spec("uvloop") else "asyncio",
                http="httptools",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=STOP_SECONDS,
            )
        )
        with _stopped_by_signals(server):
            server.run(sockets=[sock])
    finally:
        if written is not None:
            written.close()


@contextmanager
def _stopped_by_signals(server: uvicorn.Server) -> Iterator[None]:
    """uvicorn raises a signal again once it has stopped: by default that would end us before the journal is written."""

    def stop(*_: object) -> None:
        server.should_exit = True

    names = [name for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), stop) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
