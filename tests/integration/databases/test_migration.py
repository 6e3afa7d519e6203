"""Several servers start at once over one database: one makes or migrates its tables, the others wait and find them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from older_mlflow import newest, older
from team_databases import PASSWORD, Database
from team_server import TeamServer, begin, ready, refusal
from trilho.wire import connect

pytestmark = pytest.mark.slow

REPLICAS = 3


def together(folder: Path, uri: str, *flags: str) -> list[TeamServer]:
    """Replicas that answer, started at the same moment; stopped again."""
    servers = []
    for place in range(REPLICAS):
        (folder / f"{place}").mkdir()
        servers.append(begin(folder / f"{place}", uri, "artifacts", *flags))
    try:
        for server in servers:
            ready(server)
            with connect(server.address) as client:
                client.post("runs/create", {"experiment_id": "0"})
    finally:
        for server in servers:
            server.kill()
    return servers


def test_three_replicas_make_an_empty_database_and_its_administrator_once(database: Database, tmp_path: Path) -> None:
    uri = database.fresh()
    servers = []
    for place in range(REPLICAS):
        (tmp_path / f"{place}").mkdir()
        servers.append(begin(tmp_path / f"{place}", uri, "artifacts", "--auth"))
    try:
        for server in servers:
            ready(server)
    finally:
        for server in servers:
            server.kill()
    assert sum("Made the administrator" in server.said for server in servers) == 1
    assert len(list(tmp_path.glob("*/mlflow-admin-password"))) == 1
    assert database.ask("SELECT version_num FROM alembic_version", uri) == [(newest(),)]
    assert database.ask("SELECT name FROM experiments", uri) == [("Default",)]
    assert database.ask("SELECT username FROM users", uri) == [("admin",)]


def test_three_replicas_migrate_an_older_database_once(database: Database, tmp_path: Path) -> None:
    uri = database.fresh()
    revision = older(uri)
    servers = together(tmp_path, uri, "--migrate")
    assert sum(f"Migrating {database_shown(database)}" in server.said for server in servers) == 1
    assert database.ask("SELECT version_num FROM alembic_version", uri) == [(newest(),)]
    assert database.ask("SELECT count(*) FROM runs", uri) == [(REPLICAS,)]
    assert revision != newest()


def database_shown(database: Database) -> str:
    kind = "postgresql" if database.kind == "postgres" else "mysql"
    return f"{kind}://team@127.0.0.1:{database.port}/"


def test_an_older_database_is_left_alone_until_somebody_says_that_it_is_backed_up(
    database: Database, tmp_path: Path
) -> None:
    uri = database.fresh()
    revision = older(uri)
    database.ask("INSERT INTO experiments (experiment_id, name) VALUES (7, 'kept')", uri)
    said = refusal(tmp_path, uri, "artifacts")
    assert "written by an older MLflow" in said
    assert "It was not touched." in said
    assert ("pg_dump" if database.kind == "postgres" else "mysqldump") in said
    assert "--migrate" in said
    assert PASSWORD not in said
    assert database.ask("SELECT version_num FROM alembic_version", uri) == [(revision,)]


@pytest.mark.parametrize("tables", [1, 6, 20])
def test_a_first_start_that_was_cut_off_is_begun_anew(database: Database, tables: int, tmp_path: Path) -> None:
    uri = database.fresh()
    name = uri.rpartition("/")[2]
    schema = "public" if database.kind == "postgres" else name
    count = f"SELECT count(*) FROM information_schema.tables WHERE table_schema = '{schema}'"
    server = begin(tmp_path, uri, "artifacts")
    try:
        while database.ask(count, uri)[0][0] < tables:
            assert server.process.poll() is None, server.said
        # PostgreSQL shows all of its tables at once
    finally:
        server.kill()
    again = begin(tmp_path, uri, "artifacts")
    try:
        ready(again)
        with connect(again.address) as client:
            client.post("runs/create", {"experiment_id": "0"})
    finally:
        again.kill()
    assert database.ask("SELECT version_num FROM alembic_version", uri) == [(newest(),)]
    assert database.ask("SELECT count(*) FROM runs", uri) == [(1,)]


def test_half_made_tables_that_hold_anything_are_left_alone(mariadb: Database, tmp_path: Path) -> None:
    uri = mariadb.fresh()
    mariadb.ask("CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name VARCHAR(256))", uri)
    mariadb.ask("CREATE TABLE customers (name VARCHAR(50))", uri)
    mariadb.ask("INSERT INTO customers VALUES ('Ana')", uri)
    said = refusal(tmp_path, uri, "artifacts")
    assert "may hold a part of MLflow's tables." in said
    assert "DROP" not in said
    assert mariadb.ask("SELECT name FROM customers", uri) == [("Ana",)]
    assert mariadb.ask("SELECT count(*) FROM experiments", uri) == [(0,)]


def test_a_newer_database_is_left_alone(database: Database, tmp_path: Path) -> None:
    uri = database.fresh()
    database.ask("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)", uri)
    database.ask("INSERT INTO alembic_version VALUES ('ffffffffffff')", uri)
    assert "written by a newer MLflow" in refusal(tmp_path, uri, "artifacts", "--migrate")
    assert database.ask("SELECT version_num FROM alembic_version", uri) == [("ffffffffffff",)]


def test_three_servers_migrate_an_older_sqlite_file_once_after_copying_it(tmp_path: Path) -> None:
    file = tmp_path / "team.db"
    uri = f"sqlite:///{file.as_posix()}"
    revision = older(uri)
    servers = together(tmp_path, uri)
    assert sum("Migrating sqlite" in server.said for server in servers) == 1
    copy = file.with_name(f"team.db.{revision}.bak")
    for path, expected in ((copy, revision), (file, newest())):
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("SELECT version_num FROM alembic_version").fetchone() == (expected,)
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize("kind", ["mariadb"])
def test_an_empty_mysql_database_of_an_old_alphabet_learns_all_of_unicode(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    database: Database = request.getfixturevalue(kind)
    uri = database.fresh()
    name = uri.rpartition("/")[2]
    database.ask(f"ALTER DATABASE {name} CHARACTER SET latin1")
    server = begin(tmp_path, uri, "artifacts")
    try:
        ready(server)
        with connect(server.address) as client:
            made = client.post("experiments/create", {"name": "größer als 🎯"})
            assert client.get("experiments/get", made)["experiment"]["name"] == "größer als 🎯"
    finally:
        server.kill()
    assert "keeps utf8mb4 from now on; it was latin1" in server.said
