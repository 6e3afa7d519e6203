"""A real MLflow of last year as the server, and today's as the client."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from conftest import free_port, stop, wait_for
from integration.doctor.conftest import Diagnose, PlainServers, in_trouble

OLD = Path(sys.prefix) / "mlflow-2"  # beside our own, whose dependencies it runs with
INSTALL = f"pip install --no-deps --target {OLD} mlflow==2.22.1 mlflow-skinny==2.22.1"


@pytest.fixture(scope="module")
def old_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if not (OLD / "mlflow").is_dir():
        pytest.skip(f"no old MLflow here: {INSTALL}")
    folder = tmp_path_factory.mktemp("old")
    port, log = free_port(), folder / "log"
    command = [sys.executable, "-W", "ignore", "-m", "flask", "--app", "mlflow.server:app", "run", "-p", str(port)]
    with log.open("wb") as out:
        process = subprocess.Popen(
            command,
            cwd=folder,
            stdout=out,
            stderr=out,
            env={**os.environ, "PYTHONPATH": str(OLD)},
            start_new_session=True,
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        stop(process)


def test_server_that_is_too_old_is_named(old_server: str, diagnose: Diagnose) -> None:
    client = mlflow.MlflowClient(old_server)
    with pytest.raises(MlflowException, match=r"/api/2\.0/mlflow/logged-models failed with error code 404"):
        client.create_logged_model("0", name="model")
    found = diagnose(tracking_uri=old_server)
    assert "versions" in in_trouble(found)
    assert found["versions"].measured == f"MLflow {mlflow.__version__} here, 2.22.1 on the server."
    assert "mlflow<4,>=3.13" in found["versions"].expected
    assert "Upgrade the server" in found["versions"].remedy


def test_server_of_our_own_version_fits(start_mlflow: PlainServers, diagnose: Diagnose, tmp_path: Path) -> None:
    found = diagnose(tracking_uri=start_mlflow(tmp_path))
    assert found["versions"].state == "ok"
