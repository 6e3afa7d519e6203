"""Backups of a team's server, and a laptop's backup that becomes one: real databases, a real store, real clients."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backups import Writers, go_on, log_runs, look
from command_line import environment, trilho, trilho_json
from conftest import start_mlflow, stop
from team_databases import PASSWORD, Database
from team_server import serving
from team_store import SECRET_KEY, Store

KINDS = ["mariadb", "postgres"]
BUCKET = "backups"

# As MLflow's own authentication makes them, beside its tables of runs.
USERS = """
CREATE TABLE users (id INTEGER NOT NULL PRIMARY KEY, username VARCHAR(255) UNIQUE, is_admin BOOLEAN DEFAULT 0);
CREATE TABLE experiment_permissions (id INTEGER NOT NULL PRIMARY KEY, experiment_id VARCHAR(255) NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users (id), CONSTRAINT once UNIQUE (experiment_id, user_id));
CREATE TABLE alembic_version_auth (version_num VARCHAR(32) NOT NULL PRIMARY KEY);
INSERT INTO users VALUES (3, 'ana', 1), (4, 'rui', 0);
INSERT INTO experiment_permissions VALUES (1, '1', 4);
INSERT INTO alembic_version_auth VALUES ('1234');
"""


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Any]]:
    """A backup of a plain MLflow server over SQLite and a folder, and what clients saw on it."""
    folder = tmp_path_factory.mktemp("laptop")
    process, address = start_mlflow(folder)
    try:
        log_runs(address)
        seen = look(address)
        with closing(sqlite3.connect(folder / "mlflow.db")) as made:
            made.executescript(USERS)
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
    uri, destination = database.fresh(), fresh_place()
    told = where(uri, destination, **seaweed.environment)
    done = trilho(tmp_path, "restore", str(backup), **told)
    assert "runs         3         in the backup, 3 now" in done.stdout
    assert "versions     3         in the backup, 3 now" in done.stdout
    no_secrets(done.stdout + done.stderr)
    assert database.ask("SELECT username, is_admin FROM users ORDER BY id", uri) == [("ana", True), ("rui", False)]
    with serving(uri, destination, **seaweed.environment) as server:
        assert look(server.address) == seen, "runs, metrics, tags, versions, and what the champion predicts"
        go_on(server.address)  # its numbers go on after the restored ones


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_team_server_is_backed_up_and_comes_back(
    kind: str, laptop: tuple[Path, Any], seaweed: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database: Database = request.getfixturevalue(kind)
    uri, destination = database.fresh(), fresh_place()
    with serving(uri, destination, **seaweed.environment) as server:
        log_runs(server.address)
        seen = look(server.address)
        saved = trilho_json(tmp_path, "backup", "team.tar.zst", **where(uri, destination, **seaweed.environment))
        no_secrets(json.dumps(saved))
    counts = saved["manifest"]["counts"]
    assert (counts["experiments"], counts["runs"], counts["versions"]) == (2, 3, 3)
    assert counts["artifacts"] == len(seaweed.keys(BUCKET, destination.rpartition("/")[2]))
    assert saved["manifest"]["missing"] == []

    elsewhere, bucket = database.fresh(), fresh_place()
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


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_made_while_eight_clients_write_is_whole(
    kind: str, seaweed: Store, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database: Database = request.getfixturevalue(kind)
    uri, destination = database.fresh(), fresh_place()
    told = where(uri, destination, **seaweed.environment)
    with serving(uri, destination, **seaweed.environment) as server, Writers(server.address) as writers:
        writers.wait_for(40)
        before = set(writers.done)
        trilho(tmp_path, "backup", "busy.tar.zst", **told)
        writers.wait_for(len(writers.done) + 8)  # they went on
    assert writers.failed == [], "nobody was held up"
    other, folder = database.fresh(), tmp_path / "artifacts"
    trilho(tmp_path, "restore", "busy.tar.zst", **where(other, str(folder)))
    named = database.ask("SELECT run_uuid, value FROM params WHERE params.key = 'made'", other)
    assert before <= {run for run, _ in named}, "what was logged before the backup began is in it"
    assert [run for run, path in named if (folder / path).read_text(encoding="utf-8") != run] == []
    points = dict(database.ask("SELECT run_uuid, COUNT(*) FROM metrics GROUP BY run_uuid", other))
    assert {points[run] for run, _ in named} == {50}


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_a_killed_move_to_a_team_server_is_finished_by_the_same_command(
    kind: str, laptop: tuple[Path, Any], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database: Database = request.getfixturevalue(kind)
    backup, _ = laptop
    uri, folder = database.fresh(), tmp_path / "artifacts"
    told = where(uri, str(folder))
    tables = "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema IN ('public', DATABASE())"
    if kind == "postgres":
        tables = tables.replace("DATABASE()", "'public'")
    process = subprocess.Popen(
        [sys.executable, "-m", "trilho.cli", "restore", str(backup)],
        env=environment(**told),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 180
    while database.ask(tables, uri) == [(0,)]:
        assert time.monotonic() < deadline
        assert process.poll() is None, "it was faster than the test"
    process.kill()
    process.wait(300)
    assert (folder / ".trilho-restore").exists()
    again = trilho_json(tmp_path, "restore", str(backup), **told)
    assert again["resumes"] is True
    assert again["found"] == again["manifest"]["counts"]
    assert not (folder / ".trilho-restore").exists()


@pytest.mark.parametrize(("kind", "tools"), [("mariadb", ["mysqldump", "mysql"]), ("postgres", ["pg_dump", "psql"])])
def test_no_password_is_on_a_command_line(
    kind: str, tools: list[str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    database: Database = request.getfixturevalue(kind)
    places, told = tmp_path / "bin", tmp_path / "told"
    places.mkdir()
    for tool in tools:
        real = shutil.which(tool)
        wrapper = places / tool
        wrapper.write_text(f'#!/bin/sh\necho {tool} "$@" >> {told}\nexec {real} "$@"\n', encoding="utf-8")
        wrapper.chmod(0o755)
    path = f"{places}{os.pathsep}{os.environ['PATH']}"
    uri, other = database.fresh(), database.fresh()
    database.ask("CREATE TABLE runs (run_uuid INTEGER)", uri)
    trilho(tmp_path, "backup", "b.tar.zst", PATH=path, **where(uri, str(tmp_path / "artifacts")))
    trilho(tmp_path, "restore", "b.tar.zst", PATH=path, **where(other, str(tmp_path / "other")))
    lines = told.read_text(encoding="utf-8")
    assert [line.split()[0] for line in lines.splitlines()] == tools
    assert PASSWORD not in lines
    assert PASSWORD.rpartition(" ")[2] not in lines
    assert database.ask("SELECT COUNT(*) FROM runs", other) == [(0,)]


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


def fresh_place() -> str:
    """In one bucket: a new one takes volumes from a small store that has few."""
    return f"s3://{BUCKET}/{secrets.token_hex(5)}"


def no_secrets(text: str) -> None:
    assert PASSWORD not in text
    assert SECRET_KEY not in text
