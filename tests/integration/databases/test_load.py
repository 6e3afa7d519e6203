"""Many clients at once on each database: nothing is refused, nothing is lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from team_databases import Database
from team_server import TeamServer, serving
from team_store import Store
from trilho.wire import connect


@pytest.fixture(params=["sqlite", "mariadb", "postgres"])
def fresh_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[TeamServer]:
    if request.param == "sqlite":
        with serving(f"sqlite:///{(tmp_path / 'mlflow.db').as_posix()}", "artifacts") as server:
            yield server
    else:
        database: Database = request.getfixturevalue(request.param)
        seaweed: Store = request.getfixturevalue("seaweed")
        with serving(database.fresh(), "s3://load", **seaweed.environment) as server:
            yield server


@pytest.mark.slow
@pytest.mark.parametrize(
    ("clients", "runs", "points"),
    [(8, 200, 1000), (40, 120, 50)],  # 40: more than MLflow's pool has connections, and as many as it has threads
    ids=["8 clients", "40 clients"],
)
def test_clients_that_log_at_once_are_all_heard(fresh_server: TeamServer, clients: int, runs: int, points: int) -> None:
    metrics = [
        {"key": "loss", "value": step / 7, "timestamp": 1_700_000_000_000, "step": step} for step in range(points)
    ]

    def client(number: int) -> list[str]:
        made = []
        with connect(fresh_server.address, seconds=600) as mlflow:
            for place in range(runs // clients):
                body = {"experiment_id": "0", "run_name": f"{number}-{place}"}
                run_id = mlflow.post("runs/create", body)["run"]["info"]["run_id"]
                mlflow.post("runs/log-batch", {"run_id": run_id, "metrics": metrics})
                mlflow.post("runs/update", {"run_id": run_id, "status": "FINISHED"})
                made.append(run_id)
        return made

    with ThreadPoolExecutor(clients) as pool:
        made = [run_id for found in pool.map(client, range(clients)) for run_id in found]
    assert len(set(made)) == runs
    with connect(fresh_server.address, seconds=600) as mlflow:
        for run_id in made:
            found = mlflow.get("metrics/get-history", {"run_id": run_id, "metric_key": "loss"})["metrics"]
            assert sorted(point["step"] for point in found) == list(range(points))
            latest = mlflow.get("runs/get", {"run_id": run_id})["run"]
            assert latest["data"]["metrics"][0]["step"] == points - 1
            assert latest["info"]["status"] == "FINISHED"
    assert "locked" not in fresh_server.said.lower()
    assert "deadlock" not in fresh_server.said.lower()
