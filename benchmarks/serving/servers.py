"""Every server under measurement: how it is started, asked, weighed and stopped.

All get the same request: POST /invocations with a dataframe_split body, and the headers in HEADERS.
"""

from __future__ import annotations

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from environments import BENCH, python_of
from models import Model

PEERS = Path(__file__).resolve().parent / "peers"
KEY = "the-key-of-the-benchmark"
HEADERS = {"Content-Type": "application/json", "X-API-Key": KEY}
PATIENCE = 120  # seconds that a server may take to its first answer
LOGS = BENCH / "serving" / "logs"

Command = list[str | Path]


@dataclass(frozen=True, kw_only=True)
class Server:
    """`command` is made from model and port. `compiled_only`: it knows no other models than the compiled ones."""

    about: str
    environment: str | None
    command: Callable[[Model, int], Command]
    env: Mapping[str, str] = field(default_factory=dict)
    compiled_only: bool = False


def _trilho(model: Model, port: int) -> Command:
    words: Command = [sys.executable, "-m", "trilho.cli", "serve", "--project", model.folder]
    return [*words, "--model", model.bundle, "--port", str(port)]


def _mlflow(environment: str, *more: str) -> Callable[[Model, int], Command]:
    def command(model: Model, port: int) -> Command:
        words: Command = [python_of(environment), "-m", "mlflow", "models", "serve", "-m", model.mlflow]
        return [*words, "--env-manager", "local", "-h", "127.0.0.1", "-p", str(port), *more]

    return command


def _raw(model: Model, port: int) -> Command:
    return [python_of("http"), PEERS / "raw_loop.py", str(port), model.folder / "peer"]


def _fastapi(model: Model, port: int) -> Command:  # noqa: ARG001 - the model is in PEER_MODEL
    words: Command = [python_of("http"), "-m", "uvicorn", "by_fastapi:app", "--app-dir", PEERS, "--port", str(port)]
    return [*words, "--no-access-log", "--log-level", "warning"]


def _litserve(model: Model, port: int) -> Command:  # noqa: ARG001
    return [python_of("litserve"), PEERS / "by_litserve.py", str(port)]


def _bentoml(model: Model, port: int) -> Command:  # noqa: ARG001
    words: Command = [python_of("bentoml"), "-m", "bentoml", "serve", "by_bentoml:Model"]
    return [*words, "--working-dir", PEERS, "--host", "127.0.0.1", "--port", str(port)]


def _mlserver(model: Model, port: int) -> Command:
    folder = model.folder / "peer" / "mlserver"
    folder.mkdir(exist_ok=True)
    settings = {"host": "127.0.0.1", "http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    _write(folder / "settings.json", {**settings, "parallel_workers": 0, "debug": False})
    uri = {"parameters": {"uri": str(model.mlflow)}}
    _write(
        folder / "model-settings.json", {"name": model.name, "implementation": "mlserver_mlflow.MLflowRuntime", **uri}
    )
    return [python_of("mlserver").with_name("mlserver"), "start", folder]


SERVERS: dict[str, Server] = {
    "trilho": Server(
        about="`trilho serve`, one worker; validation, metrics, journal (every answer) and keys on",
        environment=None,
        command=_trilho,
        env={"TRILHO_API_KEYS": KEY},
    ),
    "raw loop": Server(
        about="an ASGI function on uvicorn (uvloop, httptools) around the same ONNX session, one process",
        environment="http",
        command=_raw,
        compiled_only=True,
    ),
    "FastAPI": Server(
        about="written by hand: FastAPI, uvicorn[standard], one process; the same ONNX model, or the pipeline",
        environment="http",
        command=_fastapi,
    ),
    "mlflow": Server(
        about="`mlflow models serve` as shipped: one worker, h11, asyncio",
        environment="mlflow",
        command=_mlflow("mlflow"),
    ),
    "mlflow 2 × uvloop": Server(
        about="`mlflow models serve --workers 2` with uvloop and httptools installed",
        environment="mlflow-uvloop",
        command=_mlflow("mlflow-uvloop", "-w", "2"),
    ),
    "BentoML": Server(
        about="a service with one API and one worker; the same ONNX model, or the pipeline",
        environment="bentoml",
        command=_bentoml,
        env={"BENTOML_DO_NOT_TRACK": "True"},
    ),
    "LitServe": Server(
        about="one worker on the CPU; the same ONNX model, or the pipeline", environment="litserve", command=_litserve
    ),
    "MLServer": Server(
        about="its MLflow runtime, parallel_workers=0, /invocations", environment="mlserver", command=_mlserver
    ),
}


class NotStarted(Exception):
    """The last lines of the log of a server that did not answer."""


class Running:
    """A server that answers. `ready`: seconds from its start command to its first right answer."""

    def __init__(self, name: str, model: Model, server: Server | None = None) -> None:
        self.name, self.model, self.port = name, model, free_port()
        server = server or SERVERS[name]
        shutil.rmtree(model.folder / ".trilho" / "journal", ignore_errors=True)
        LOGS.mkdir(parents=True, exist_ok=True)
        self._log = LOGS / f"{model.name}-{name.replace(' ', '_')}.log"
        command = [str(word) for word in server.command(model, self.port)]
        began = time.perf_counter()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                command, cwd=PEERS, env=_environment(server, model), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        try:
            self.first = self._first_answer()
        except BaseException:
            self.stop()
            raise
        self.ready = time.perf_counter() - began

    def ask(self, rows: int, *, seconds: float = 30) -> Any:
        """Predictions for the model's request of so many rows. Raises OSError; NotStarted for what is not 200."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            connection.request("POST", "/invocations", self.model.body(rows).read_bytes(), HEADERS)
            answer = connection.getresponse()
            text = answer.read()
        finally:
            connection.close()
        if answer.status != 200:
            raise NotStarted(f"{self.name} answers {answer.status}: {text[:500].decode(errors='replace')}")
        return json.loads(text)["predictions"]

    def family(self) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            root = psutil.Process(self.process.pid)
            return [root, *root.children(recursive=True)]
        return []

    def memory(self) -> float:
        """MB resident, summed over the server's processes."""
        sizes = []
        for member in self.family():
            with suppress(psutil.NoSuchProcess):
                sizes.append(member.memory_info().rss)
        return sum(sizes) / 1e6

    def cpu(self) -> float:
        """Seconds of CPU that the server's processes have used."""
        used = 0.0
        for member in self.family():
            with suppress(psutil.NoSuchProcess):
                used += sum(member.cpu_times()[:2])
        return used

    def settle(self, seconds: float = 10) -> None:
        """Wait until requests that nobody waits for any more are worked off."""
        until = time.monotonic() + seconds
        before = self.cpu()
        while time.monotonic() < until:
            time.sleep(0.1)
            now = self.cpu()
            if now - before < 0.03:
                return
            before = now

    def stop(self) -> None:
        family = self.family()
        if self.process.poll() is None:
            self.process.terminate()
        _, alive = psutil.wait_procs(family, timeout=15)
        for member in alive:
            with suppress(psutil.NoSuchProcess):
                member.kill()
        self.process.wait()

    def _first_answer(self) -> Any:
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            with suppress(OSError, http.client.HTTPException, NotStarted):
                return self.ask(1, seconds=5)
            time.sleep(0.02)
        said = self._log.read_text(encoding="utf-8", errors="replace")[-1500:]
        raise NotStarted(f"{self.name} does not answer for {self.model.name}:\n{said}")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


# ----------------------------------------------------------------------------------------------------------------------


def _environment(server: Server, model: Model) -> dict[str, str]:
    strange = ("MLFLOW_", "TRILHO_", "AWS_", "VIRTUAL_ENV", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(strange)}
    mine = {"PEER_MODEL": str(model.folder / "peer"), "PYTHONUNBUFFERED": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}
    if server.environment is not None:
        programs = python_of(server.environment).parent  # mlflow looks for uvicorn there
        mine |= {"PATH": f"{programs}{os.pathsep}{kept.get('PATH', '')}"}
        mine |= {"PYTHONPATH": f"{PEERS}{os.pathsep}{model.folder}"}  # the user's own transformer is there
    return {**kept, **mine, **server.env}


def _write(file: Path, settings: Mapping[str, Any]) -> None:
    file.write_text(json.dumps(settings), encoding="utf-8")
