"""What a backup finds out on the way, and says."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from trilho.errors import BackupFailed
from trilho.platform.backup import Manifest, back_up
from trilho.platform.backup.archive import members
from trilho.platform.backup.manifest import from_json
from trilho.platform.backup.tables import sqlite_file
from trilho.platform.database_address import DatabaseAddress

TABLES = """
CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, experiment_id INTEGER, artifact_uri TEXT);
CREATE TABLE logged_models (model_id TEXT PRIMARY KEY, experiment_id INTEGER, artifact_location TEXT, status INTEGER,
  lifecycle_stage TEXT, creation_timestamp_ms BIGINT);
CREATE TABLE logged_model_tags (model_id TEXT, tag_key TEXT);
"""
READY, PENDING = 2, 1


@pytest.fixture
def database(tmp_path: Path) -> DatabaseAddress:
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as made:
        made.executescript(TABLES)
    (tmp_path / "artifacts").mkdir()
    return sqlite_file(tmp_path / "mlflow.db")


def run(address: DatabaseAddress, name: str, location: str) -> None:
    assert address.file is not None
    with closing(sqlite3.connect(address.file)) as made, made:
        made.execute("INSERT INTO runs VALUES (?, 1, ?)", (name, location))


def model(
    address: DatabaseAddress, name: str, *, status: int = READY, stage: str = "active", made_at: float = 1
) -> None:
    assert address.file is not None
    location = f"mlflow-artifacts:/1/models/{name}/artifacts"
    with closing(sqlite3.connect(address.file)) as made, made:
        row = (name, 1, location, status, stage, int(made_at * 1000))
        made.execute("INSERT INTO logged_models VALUES (?, ?, ?, ?, ?, ?)", row)


def put(path: Path, text: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (1, 1))
    return path


def saved(address: DatabaseAddress, tmp_path: Path) -> Manifest:
    return back_up(tmp_path / "b.tar.zst", address, str(tmp_path / "artifacts")).manifest


def content(tmp_path: Path) -> dict[str, bytes]:
    found = {member.name: member.stream.read() for member in members(tmp_path / "b.tar.zst")}
    return {name.removeprefix("artifacts/"): data for name, data in found.items() if name.startswith("artifacts/")}


def test_models_that_should_have_files_and_have_none_are_named(database: DatabaseAddress, tmp_path: Path) -> None:
    model(database, "m-whole")
    put(tmp_path / "artifacts/1/models/m-whole/artifacts/MLmodel")
    model(database, "m-lost")
    model(database, "m-pending", status=PENDING)
    model(database, "m-deleted", stage="deleted")
    model(database, "m-made-meanwhile", made_at=time.time() + 1000)
    model(database, "m-elsewhere")
    assert database.file is not None
    with closing(sqlite3.connect(database.file)) as made, made:
        made.execute("INSERT INTO logged_model_tags VALUES ('m-elsewhere', 'mlflow.model.isExternal')")
    assert saved(database, tmp_path).missing == ("m-lost",)


def test_artifacts_that_came_later_are_named_and_kept(database: DatabaseAddress, tmp_path: Path) -> None:
    put(tmp_path / "artifacts/1/r/artifacts/old.txt")
    new = put(tmp_path / "artifacts/1/s/artifacts/new.txt", "new")
    os.utime(new, (time.time() + 100, time.time() + 100))
    manifest = saved(database, tmp_path)
    assert manifest.later == ("1/s/artifacts/new.txt",)
    assert (manifest.counts.artifacts, manifest.counts.bytes) == (2, 4)
    assert content(tmp_path)["1/s/artifacts/new.txt"] == b"new"


def test_files_elsewhere_come_along_and_what_cannot_be_read_is_named(database: DatabaseAddress, tmp_path: Path) -> None:
    run(database, "near", f"{tmp_path}/mlruns/near")
    run(database, "far", "gs://somewhere/far")
    put(tmp_path / "mlruns" / "near" / "sub" / "notes.txt", "near")
    manifest = saved(database, tmp_path)
    assert content(tmp_path) == {"1/near/artifacts/sub/notes.txt": b"near"}
    assert manifest.left_out == ("gs://somewhere/far",)
    assert [(move.before, move.after) for move in manifest.moves] == [
        (f"{tmp_path}/mlruns/near", "mlflow-artifacts:/1/near/artifacts")
    ]


def test_a_manifest_comes_back_as_it_was(database: DatabaseAddress, tmp_path: Path) -> None:
    run(database, "far", "gs://somewhere/far")
    run(database, "own", "mlflow-artifacts://old.example:5000/1/own/artifacts")
    manifest = saved(database, tmp_path)
    assert from_json(json.dumps(manifest.to_json()), "b") == manifest


def test_a_missing_database_is_named(tmp_path: Path) -> None:
    with pytest.raises(BackupFailed, match=r"There is no database .*gone\.db"):
        back_up(tmp_path / "b.tar.zst", sqlite_file(tmp_path / "gone.db"), str(tmp_path))
    assert list(tmp_path.iterdir()) == []
