"""Backups of a team's server, and a laptop's backup that becomes one: real databases, a real store, real clients."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from backups import go_on, log_runs, look
from command_line import trilho, trilho_json
from conftest import start_mlflow, stop
from team_databases import PASSWORD, Database
from team_server import serving
from team_store import SECRET_KEY, Store

KINDS = ["mariadb", "postgres"]


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Any]]:
    """A backup of a plain MLflow server over SQLite and a folder, and what clients saw on it."""
    folder = tmp_path_factory.mktemp("laptop")
    process, address = start_mlflow(folder)
    try:
        log_runs(address)
        seen = look(address)
        backup = folder / "laptop.tar.zst"
        told = where(f"sqlite:///{folder}/mlflow.db", str(folder / "artifacts"))
        trilho(folder, "backup", str(backup), **told)
    finally:
        stop(process)
    return backup, seen


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_laptop_moves_to_a_team_server(
    kind: str, laptop: tuple[Path, Any], seaweed: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database: Database = request.getfixturevalue(kind)
    backup, seen = laptop
    uri, destination = database.fresh(), f"s3://{fresh_bucket()}/team"
    told = where(uri, destination, **seaweed.environment)
    done = trilho(tmp_path, "restore", str(backup), **told)
    assert "runs         3         in the backup, 3 now" in done.stdout
    assert "versions     3         in the backup, 3 now" in done.stdout
    no_secrets(done.stdout + done.stderr)
    with serving(uri, destination, **seaweed.environment) as server:
        assert look(server.address) == seen, "runs, metrics, tags, versions, and what the champion predicts"
        go_on(server.address)  # its numbers go on after the restored ones


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_team_server_is_backed_up_and_comes_back(
    kind: str, laptop: tuple[Path, Any], seaweed: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database: Database = request.getfixturevalue(kind)
    uri, destination = database.fresh(), f"s3://{fresh_bucket()}"
    with serving(uri, destination, **seaweed.environment) as server:
        log_runs(server.address)
        seen = look(server.address)
        saved = trilho_json(tmp_path, "backup", "team.tar.zst", **where(uri, destination, **seaweed.environment))
        no_secrets(json.dumps(saved))
    counts = saved["manifest"]["counts"]
    assert (counts["experiments"], counts["runs"], counts["versions"]) == (2, 3, 3)
    assert counts["artifacts"] == len(seaweed.keys(destination.removeprefix("s3://")))
    assert saved["manifest"]["missing"] == []

    elsewhere, bucket = database.fresh(), f"s3://{fresh_bucket()}/other"
    told = where(elsewhere, bucket, **seaweed.environment)
    restored = trilho_json(tmp_path, "restore", "team.tar.zst", **told)
    assert restored["found"] == counts
    with serving(elsewhere, bucket, **seaweed.environment) as server:
        assert look(server.address) == seen
        go_on(server.address)

    refused = trilho(tmp_path, "restore", "team.tar.zst", code=1, **told)
    assert "There is something already" in refused.stderr
    assert "4 runs" in refused.stderr
    again = trilho_json(tmp_path, "restore", "team.tar.zst", "--force", **told)
    assert again["found"]["runs"] == 3
    assert again["before"]["manifest"]["counts"]["runs"] == 4
    undone = trilho_json(tmp_path, "restore", again["before"]["file"], "--force", **told)
    assert undone["found"]["runs"] == 4


def test_a_backup_of_one_kind_does_not_become_another(
    postgres: Database, mariadb: Database, seaweed: Store, tmp_path: Path
) -> None:
    told = where(postgres.fresh(), str(tmp_path / "artifacts"), **seaweed.environment)
    trilho(tmp_path, "backup", "empty.tar.zst", **told)
    target = mariadb.fresh()
    done = trilho(tmp_path, "restore", "empty.tar.zst", code=1, **where(target, str(tmp_path / "other")))
    assert "A backup of postgresql cannot become mysql." in done.stderr
    assert mariadb.ask("SHOW TABLES", target) == []
    assert not (tmp_path / "other").exists()


@pytest.mark.parametrize(
    ("kind", "tool", "package"), [("mariadb", "mysqldump", "mysql"), ("postgres", "pg_dump", "postgresql")]
)
def test_a_missing_tool_is_named_with_its_package(
    kind: str, tool: str, package: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database: Database = request.getfixturevalue(kind)
    told = where(database.fresh(), str(tmp_path / "artifacts"))
    done = trilho(tmp_path, "backup", "b.tar.zst", code=1, PATH=str(tmp_path), **told)
    assert f"{tool} is not installed on this machine." in done.stderr
    assert package in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_password_is_refused_and_not_repeated(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database: Database = request.getfixturevalue(kind)
    wrong = database.uri("mysql" if kind == "mariadb" else "postgres", password="wr0ng:/@ secret")
    done = trilho(tmp_path, "backup", "b.tar.zst", code=1, **where(wrong, str(tmp_path / "artifacts")))
    assert "wr0ng" not in done.stdout + done.stderr
    assert list(tmp_path.iterdir()) == []


def where(uri: str, destination: str, **more: str) -> dict[str, str]:
    return {"MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_ARTIFACTS_DESTINATION": destination, **more}


def fresh_bucket() -> str:
    return f"mlflow-{secrets.token_hex(5)}"


def no_secrets(text: str) -> None:
    assert PASSWORD not in text
    assert SECRET_KEY not in text
