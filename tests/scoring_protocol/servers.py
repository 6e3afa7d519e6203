"""MLflow's own server and this one, on real sockets, for one model."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn

from conftest import free_port, stop
from scoring_protocol.models import Saved
from scoring_protocol.values import Sent
from trilho.serving.asking import Desk
from trilho.serving.assembly import assembled
from trilho.serving.counting import Counts
from trilho.serving.slot import Served, Slot


@dataclass(frozen=True)
class Said:
    """An answer. `predictions` is None unless the status is 200."""

    status: int
    body: bytes

    @property
    def predictions(self) -> Any:
        return json.loads(self.body)["predictions"] if self.status == 200 and self.body[:1] == b"{" else None

    @property
    def error(self) -> Any:
        return json.loads(self.body)


class Client:
    """One connection that is kept."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(self, sent: Sent) -> Said:
        self._connection.request("POST", "/invocations", sent.body, {"Content-Type": sent.content_type})
        answer = self._connection.getresponse()
        said = Said(answer.status, answer.read())
        if said.status >= 500:  # MLflow's server then closes the connection without having said so
            self._connection.close()
        return said

    def close(self) -> None:
        self._connection.close()


def start_mlflow_scoring(saved: Saved) -> tuple[subprocess.Popen[bytes], int]:
    """`mlflow models serve`, which is not waited for; the caller stops it."""
    port = free_port()
    scripts = str(Path(sys.executable).parent)  # it starts uvicorn by its name
    environment = {**os.environ, "PATH": os.pathsep.join([scripts, os.environ["PATH"]])}
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(saved.mlflow_model), "-p", str(port)]
    with (saved.folder / "server.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "-h", "127.0.0.1", "--env-manager", "local"],
            cwd=saved.folder,
            stdout=log,
            stderr=log,
            env={**environment, "MLFLOW_DISABLE_TELEMETRY": "true"},
            start_new_session=True,
        )
    return process, port


def answers_ping(port: int, process: subprocess.Popen[bytes], log: Path, seconds: float = 180) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/ping")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    stop(process)
    raise RuntimeError(f"mlflow models serve did not answer\n{log.read_text(errors='replace')[-3000:]}")


@contextmanager
def our_server(saved: Saved) -> Iterator[int]:
    """The port of our application in a uvicorn server, in a thread of this process."""
    served = Served(predictor=saved.predictor, name=saved.name, version="1", since=time.time())
    app = assembled(Desk(Slot(served), Counts()))
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off", http="httptools")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(timeout=60)
