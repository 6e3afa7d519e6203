"""A model server in a thread: the real application over a real bundle."""

from __future__ import annotations

import json
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from shipped import Shipped
from trilho.serving.asking import Desk
from trilho.serving.assembly import assembled
from trilho.serving.counting import Counts
from trilho.serving.keys import Keys
from trilho.serving.slot import Served, Slot


@dataclass(frozen=True)
class Running:
    """A server that a test can look into: the model in its slot, and where true labels are written."""

    address: str
    slot: Slot
    journal: Path

    @property
    def labels(self) -> dict[str, Any]:
        """What turned out to be true, by prediction id."""
        lines = [json.loads(line) for path in self.journal.glob("labels-*") for line in path.read_text().splitlines()]
        return {line["id"]: line["label"] for line in lines}


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
    folder = Path(tempfile.mkdtemp(prefix="trilho-served-"))
    found = Running(f"http://127.0.0.1:{sock.getsockname()[1]}", slot, folder)
    app = assembled(Desk(slot, Counts()), keys=Keys(keys), journal=folder)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        yield found
    finally:
        server.should_exit = True
        thread.join()
        sock.close()
        shutil.rmtree(folder, ignore_errors=True)
