"""Which artifact locations lead past the server, and what they become."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from trilho.platform.backup.locations import Outside, moves_of, rewrite
from trilho.platform.backup.manifest import Move
from trilho.platform.backup.tables import sqlite_file
from trilho.platform.database_address import DatabaseAddress

TABLES = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, artifact_location TEXT);
CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, experiment_id INTEGER, artifact_uri TEXT);
CREATE TABLE logged_models (model_id TEXT PRIMARY KEY, experiment_id INTEGER, artifact_location TEXT);
CREATE TABLE model_versions (name TEXT, version INTEGER, source TEXT, storage_location TEXT);
"""


@pytest.fixture
def database(tmp_path: Path) -> DatabaseAddress:
    with closing(sqlite3.connect(tmp_path / "50% & more?.db")) as made:
        made.executescript(TABLES)
    return sqlite_file(tmp_path / "50% & more?.db")


def put(address: DatabaseAddress, table: str, *rows: tuple[object, ...]) -> None:
    assert address.file is not None
    with closing(sqlite3.connect(address.file)) as made, made:
        made.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(rows[0]))})", rows)


def ask(address: DatabaseAddress, statement: str) -> list[tuple[object, ...]]:
    assert address.file is not None
    with closing(sqlite3.connect(address.file)) as made:
        return made.execute(statement).fetchall()


def test_proxied_locations_stay(database: DatabaseAddress) -> None:
    put(database, "experiments", (0, "mlflow-artifacts:/0"))
    put(database, "runs", ("r", 0, "mlflow-artifacts:/0/r/artifacts"), ("none", 0, None), ("empty", 0, ""))
    assert moves_of(database, "/srv/artifacts") == ((), ())


def test_a_path_under_the_servers_artifacts_becomes_the_same_place_behind_it(
    database: DatabaseAddress, tmp_path: Path
) -> None:
    put(database, "experiments", (1, f"file://{tmp_path}/artifacts/one"))
    put(database, "runs", ("r", 1, f"{tmp_path}/artifacts/one/r/artifacts"))
    moves, outside = moves_of(database, str(tmp_path / "artifacts"))
    assert [move.after for move in moves] == ["mlflow-artifacts:/one", "mlflow-artifacts:/one/r/artifacts"]
    assert outside == (), "its files are copied with all others"


def test_a_path_elsewhere_is_fetched_into_the_place_of_its_run(database: DatabaseAddress) -> None:
    put(database, "experiments", (1, "/home/ana/mlruns/1"))
    put(database, "runs", ("r", 1, "/home/ana/mlruns/1/r/artifacts"))
    put(database, "logged_models", ("m-1", 1, "s3://old/1/models/m-1/artifacts"))
    moves, outside = moves_of(database, "s3://new/team")
    assert moves == (
        Move(before="/home/ana/mlruns/1", after="mlflow-artifacts:/1"),
        Move(before="/home/ana/mlruns/1/r/artifacts", after="mlflow-artifacts:/1/r/artifacts"),
        Move(before="s3://old/1/models/m-1/artifacts", after="mlflow-artifacts:/1/models/m-1/artifacts"),
    )
    assert outside == (
        Outside(address="/home/ana/mlruns/1/r/artifacts", path="1/r/artifacts", home="/home/ana/mlruns/1"),
        Outside(address="s3://old/1/models/m-1/artifacts", path="1/models/m-1/artifacts", home=""),
    )


def test_a_bucket_under_the_servers_prefix_is_its_own(database: DatabaseAddress) -> None:
    put(database, "runs", ("r", 1, "s3://new/team/1/r/artifacts"), ("other", 1, "s3://new/teammates/1/other"))
    moves, outside = moves_of(database, "s3://new/team/")
    assert [move.after for move in moves] == ["mlflow-artifacts:/1/r/artifacts", "mlflow-artifacts:/1/other/artifacts"]
    assert [place.address for place in outside] == ["s3://new/teammates/1/other"]


def test_a_servers_own_address_in_a_location_is_left_out(database: DatabaseAddress) -> None:
    put(database, "runs", ("r", 1, "mlflow-artifacts://old.example:5000/1/r/artifacts"))
    moves, outside = moves_of(database, "/srv/artifacts")
    assert [move.after for move in moves] == ["mlflow-artifacts:/1/r/artifacts"]
    assert outside == ()


def test_versions_follow_the_run_that_they_came_from(database: DatabaseAddress) -> None:
    put(database, "runs", ("r", 1, "/old/1/r/artifacts"))
    put(
        database,
        "model_versions",
        ("kept", 1, "/old/1/r/artifacts/model", "/old/1/r/artifacts/model/"),
        ("kept", 2, "models:/m-1", "mlflow-artifacts:/1/models/m-1/artifacts"),
        ("kept", 3, "/old/1/rr/artifacts/model", None),
    )
    changed = rewrite(database, {"/old/1/r/artifacts": "mlflow-artifacts:/1/r/artifacts"})
    assert changed == 3
    assert ask(database, "SELECT artifact_uri FROM runs") == [("mlflow-artifacts:/1/r/artifacts",)]
    assert ask(database, "SELECT source, storage_location FROM model_versions ORDER BY version") == [
        ("mlflow-artifacts:/1/r/artifacts/model", "mlflow-artifacts:/1/r/artifacts/model"),
        ("models:/m-1", "mlflow-artifacts:/1/models/m-1/artifacts"),
        ("/old/1/rr/artifacts/model", None),
    ]
