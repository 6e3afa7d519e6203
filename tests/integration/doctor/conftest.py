"""Plain MLflow servers of every kind that goes wrong, and what doctor says of them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from conftest import free_port, stop, wait_for
from team_databases import mariadb, postgres
from team_store import seaweed
from trilho.platform.doctor import CHECKS, Finding, Site, examine

__all__ = ["mariadb", "postgres", "seaweed"]

Diagnose = Callable[..., dict[str, Finding]]


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """MLflow's own client gives up at once, and not after minutes."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    monkeypatch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")


class PlainServers:
    """Plain `mlflow server` processes, each over a folder of its own."""

    def __init__(self) -> None:
        self._started: dict[str, subprocess.Popen[bytes]] = {}

    def __call__(
        self, folder: Path, *options: str, database: str = "", environment: dict[str, str] | None = None, port: int = 0
    ) -> str:
        """Start one, with options of its own, and wait until it is healthy; its address."""
        port = port or free_port()
        log = folder / "server.log"
        command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
        command += ["--workers", "1", "--backend-store-uri", database or f"sqlite:///{folder / 'mlflow.db'}", *options]
        lean = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with log.open("ab") as out:
            process = subprocess.Popen(
                command,
                cwd=folder,
                stdout=out,
                stderr=out,
                env={**os.environ, **lean, **(environment or {})},
                start_new_session=True,
            )
        address = f"http://127.0.0.1:{port}"
        self._started[address] = process
        wait_for(f"{address}/health", process, log)
        return address

    def stop(self, address: str = "") -> None:
        """End one, or all."""
        for known in [address] if address else list(self._started):
            stop(self._started.pop(known))


@pytest.fixture(scope="module")
def start_mlflow() -> Iterator[PlainServers]:
    """Starts servers; all end with the module."""
    servers = PlainServers()
    yield servers
    servers.stop()


@pytest.fixture
def diagnose(tmp_path: Path) -> Diagnose:
    """What doctor finds at a site, by the names of its checks; `parts` are those of Site."""

    def found(*, environment: dict[str, str] | None = None, **parts: Any) -> dict[str, Finding]:
        site = Site(**{"root": tmp_path, **parts, "environment": {**_plain_environment(), **(environment or {})}})
        return {finding.name: finding for finding in examine(site, CHECKS)}

    return found


def in_trouble(found: dict[str, Finding]) -> list[str]:
    """The names of the checks that found something, each with a measured value, an expected one and a remedy."""
    wrong = [finding for finding in found.values() if finding.state == "trouble"]
    assert all(finding.measured and finding.expected and finding.remedy for finding in wrong)
    return [finding.name for finding in wrong]


def python(code: str, *, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A user's script, in a process of its own: what it printed, and how it ended."""
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def train(address: str, folder: Path) -> str:
    """What a user's script leaves on a server: a run with a note, a version of 'churn', a trace. The run's id."""
    done = python(_TRAIN.replace("ADDRESS", address), folder=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("run:")[-1].split()[0]


_TRAIN = """
import mlflow
from sklearn.linear_model import LogisticRegression
mlflow.set_tracking_uri("ADDRESS")
mlflow.set_experiment("churn")
with mlflow.start_run() as run:
    mlflow.log_metric("f1", 0.9)
    mlflow.log_text("a note", "notes/a.txt")
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    how = {"serialization_format": "cloudpickle", "pip_requirements": ["scikit-learn"]}  # found out, they take seconds
    mlflow.sklearn.log_model(model, name="model", registered_model_name="churn", **how)
@mlflow.trace
def answer(question):
    return 42
answer("?")
print("run:" + run.info.run_id)
"""


def _plain_environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "AWS_"))}
