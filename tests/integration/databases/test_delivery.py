"""A laptop without keys of the store and without a shared folder: it trains, registers, promotes and serves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from command_line import trilho, trilho_json, write_project
from serving_process import JSON, serving
from team_server import TeamServer
from team_store import Store

pytestmark = pytest.mark.slow


def test_a_run_goes_through_the_server_into_the_bucket_and_its_champion_is_served_from_there(
    team_server: TeamServer, seaweed: Store, tmp_path: Path
) -> None:
    from sklearn.datasets import load_breast_cancer

    name = f"team-{team_server.address.rpartition(':')[2]}"
    laptop = write_project(tmp_path / "laptop", name, {})
    before = set(seaweed.keys("mlflow"))
    trilho(laptop, "run", server=team_server.address)
    stored = set(seaweed.keys("mlflow")) - before
    assert any(key.endswith("trilho/bundle.tar") for key in stored), "the bundle is in the bucket"
    assert all(key.startswith("artifacts/") for key in stored)
    history = trilho_json(laptop, "history", server=team_server.address)
    assert json.dumps(history).count("promoted") == 1

    elsewhere = write_project(tmp_path / "elsewhere", name, {})  # another machine: nothing but the project file
    frame = load_breast_cancer(as_frame=True).frame.drop(columns="target")[:3]
    with serving(elsewhere, server=team_server.address) as server:
        body = json.dumps({"dataframe_split": json.loads(frame.to_json(orient="split"))}).encode()
        status, headers, answer = server.ask("POST", "/invocations", body, JSON)
    assert status == 200
    assert headers["x-model-version"] == "1"
    assert len(json.loads(answer)["predictions"]) == 3
