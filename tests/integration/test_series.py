"""Figures over time on a real MLflow server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from trilho.errors import ServerRefused
from trilho.tracking import Point, Series
from trilho.wire import Client, connect


@pytest.fixture
def client(mlflow_server: str) -> Iterator[Client]:
    with connect(mlflow_server) as found:
        yield found


def history(client: Client, run_id: str, key: str) -> list[tuple[int, float]]:
    found = client.get("metrics/get-history", {"run_id": run_id, "metric_key": key})["metrics"]
    return [(point["step"], point["value"]) for point in found]


def test_points_of_two_machines_are_one_run_over_time(client: Client, tmp_path: Path) -> None:
    sent = set()
    for place, moment in enumerate((100.0, 200.0, 300.0)):
        series = Series(experiment="series", name="monitor: it's", waiting=tmp_path / f"{place % 2}.jsonl")
        series.add(Point(at=moment, values={"x": moment, "drift_effect/mean area": 0.5}))
        sent.add(series.send(client))
        assert series.points() == []
    [run_id] = sent
    assert history(client, run_id, "x") == [(100, 100.0), (200, 200.0), (300, 300.0)]
    assert client.get("runs/get", {"run_id": run_id})["run"]["info"]["run_name"] == "monitor: it's"


def test_what_the_server_will_never_take_does_not_hold_up_the_rest(client: Client, tmp_path: Path) -> None:
    series = Series(experiment="series", name="refused", waiting=tmp_path / "w.jsonl")
    series.add(Point(at=1.0, values={"a|b": 1.0}))
    with pytest.raises(ServerRefused):
        series.send(client)
    series.add(Point(at=2.0, values={"x": 2.0}))
    assert history(client, series.send(client), "x") == [(2, 2.0)]
