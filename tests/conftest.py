"""Fixtures that start real parts on free loopback ports, and a clean environment for every test."""

from __future__ import annotations

import itertools
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("trilho", deadline=None)  # no test depends on how fast the machine is
settings.load_profile("trilho")

# Started in the background or by nohup, we ignore Ctrl-C or a hangup, and so would every process that a test starts. A
# handler is not inherited: with one of our own, they begin as usual.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
    signal.signal(signal.SIGHUP, lambda *_: None)


def pytest_xdist_auto_num_workers() -> int:
    """For -n auto: two processes a core, as half of the time of most tests is waiting for servers and disks."""
    return min(2 * (os.cpu_count() or 1), 16)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of the developer's own MLflow, AWS or trilho settings reaches a test."""
    for name in list(os.environ):
        if name.startswith(("MLFLOW_", "TRILHO_", "AWS_")):
            monkeypatch.delenv(name)


_places = itertools.count(random.randrange(1000))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody has, and that nobody gets until it is used.

    The system gives ports from 32768 or 49152 on to whoever asks for any; a server that takes seconds to start may find
    such a one taken. These are below, each test process has a thousand of its own, and none comes twice.
    """
    first = 10_000 + 1000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for _ in range(1000):
        port = first + next(_places) % 1000
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise RuntimeError(f"no port from {first} to {first + 999} is free")


def wait_for(url: str, process: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"{url} did not answer\n{log.read_text(errors='replace')[-3000:]}")


def start_mlflow(folder: Path, port: int | None = None) -> tuple[subprocess.Popen[bytes], str]:
    """A plain `mlflow server` (MLflow's own command, lean settings) over `folder`; the caller stops it."""
    port = port or free_port()
    log = folder / "server.log"
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"]
    command += ["--artifacts-destination", str(folder / "artifacts")]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with log.open("ab") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out, env=environment, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/health", process, log)
    except BaseException:
        stop(process)
        raise
    return process, address


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and everything it started."""
    import psutil

    try:
        family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        family = []
    for member in family:
        try:
            member.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait(timeout=300)


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real MLflow server (SQLite, proxied artifacts), one for each test process."""
    process, address = start_mlflow(tmp_path_factory.mktemp("mlflow"))
    yield address
    stop(process)
