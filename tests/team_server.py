"""`trilho tracking-server` as a team runs it: over a database and a store, its secrets in the environment only."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from command_line import environment
from conftest import free_port, stop, wait_for

BUCKET = "mlflow"


@dataclass
class TeamServer:
    """A running server, and what it wrote."""

    address: str
    log: Path
    process: subprocess.Popen[bytes]

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """As a power cut does it."""
        stop(self.process)


def begin(folder: Path, uri: str, destination: str, *flags: str, port: int = 0, **more: str) -> TeamServer:
    """A server that is starting; the caller waits for it, or for its end."""
    port = port or free_port()
    log = folder / f"server-{port}.log"
    command = [sys.executable, "-m", "trilho.cli", "tracking-server", "--port", str(port), *flags]
    known = {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_ARTIFACTS_DESTINATION": destination}
    with log.open("ab") as out:
        process = subprocess.Popen(
            command, cwd=folder, stdout=out, stderr=out, env=environment(**known, **more), start_new_session=True
        )
    return TeamServer(f"http://127.0.0.1:{port}", log, process)


def ready(server: TeamServer) -> TeamServer:
    """`server`, once it answers; stopped, and its log the error, where it does not."""
    try:
        wait_for(f"{server.address}/health", server.process, server.log)
    except BaseException:
        server.kill()
        raise
    return server


@contextmanager
def serving(uri: str, destination: str, *flags: str, port: int = 0, **more: str) -> Iterator[TeamServer]:
    """A server that answers, until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="trilho-team-") as name:
        server = ready(begin(Path(name), uri, destination, *flags, port=port, **more))
        try:
            yield server
        finally:
            server.kill()


def refusal(folder: Path, uri: str, destination: str, *flags: str, **more: str) -> str:
    """What a server says that cannot start; it ends with 1 by itself."""
    server = begin(folder, uri, destination, *flags, **more)
    try:
        assert server.process.wait(120) == 1, server.said
    finally:
        server.kill()
    return server.said
