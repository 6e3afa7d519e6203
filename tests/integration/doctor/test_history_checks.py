"""Servers that answer, and hold less than was meant."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from integration.doctor.conftest import Diagnose, PlainServers, in_trouble


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("server")


@pytest.fixture(scope="module")
def address(start_mlflow: PlainServers, folder: Path) -> str:
    return start_mlflow(folder)


@pytest.fixture
def client(address: str) -> mlflow.MlflowClient:
    return mlflow.MlflowClient(address)


def finished(client: mlflow.MlflowClient, experiment: str, **metrics: float) -> str:
    """A finished run; where its artifacts are."""
    run = client.create_run(experiment)
    for name, value in metrics.items():
        client.log_metric(run.info.run_id, name, value)
    client.set_terminated(run.info.run_id)
    place: str = run.info.artifact_uri
    return place


def test_server_that_nobody_used_yet_is_fine(start_mlflow: PlainServers, diagnose: Diagnose, tmp_path: Path) -> None:
    fresh = start_mlflow(tmp_path)
    assert in_trouble(diagnose(tracking_uri=fresh, experiment="churn", model="churn")) == []


def test_experiment_without_history_is_named(address: str, client: mlflow.MlflowClient, diagnose: Diagnose) -> None:
    number = client.create_experiment("without history")
    assert client.search_runs([number]) == []  # what the page shows: an experiment, and nothing in it
    found = diagnose(tracking_uri=address)["empty-experiments"]
    assert (found.state, found.measured) == ("trouble", "1 experiment without a run: without history.")
    finished(client, number, f1=0.9)
    assert diagnose(tracking_uri=address)["empty-experiments"].state == "ok"


def test_runs_without_metrics_are_named(
    folder: Path, address: str, client: mlflow.MlflowClient, diagnose: Diagnose
) -> None:
    bare = client.create_experiment("bare")
    for _ in range(2):
        finished(client, bare)
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        of_these = "SELECT COUNT(*) FROM metrics WHERE run_uuid IN (SELECT run_uuid FROM runs WHERE experiment_id = ?)"
        assert database.execute(of_these, [bare]).fetchone() == (0,)
    found = diagnose(tracking_uri=address)["runs-without-metrics"]
    assert (found.state, "2 of 2 in 'bare'" in found.measured) == ("trouble", True)
    finished(client, bare, f1=0.9)  # one that measures: the others may be of another kind
    assert diagnose(tracking_uri=address)["runs-without-metrics"].state == "ok"
    found = diagnose(tracking_uri=address, experiment="bare")["runs-without-metrics"]  # but not in the project's own
    assert "2 of 3 in 'bare'" in found.measured


def test_trained_and_never_registered_is_named(address: str, client: mlflow.MlflowClient, diagnose: Diagnose) -> None:
    with pytest.raises(MlflowException, match=r"RESOURCE_DOES_NOT_EXIST|not found"):
        client.get_model_version_by_alias("o'connor", "champion")
    place = finished(client, client.create_experiment("trained"), f1=0.9)
    site = {"tracking_uri": address, "experiment": "trained", "model": "o'connor"}
    found = diagnose(**site)["no-versions"]
    assert (found.state, found.measured) == ("trouble", "1 finished run in 'trained', and no version of 'o'connor'.")
    client.create_registered_model("o'connor")
    assert diagnose(**site)["no-versions"].state == "trouble"  # a name is no version
    client.create_model_version("o'connor", source=f"{place}/model", run_id=place.split("/")[-2])
    assert diagnose(**site)["no-versions"].state == "ok"
