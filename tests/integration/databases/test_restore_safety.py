"""What a restore must not touch in a team's database: a server's that runs, another program's tables and functions."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from backups import at, go_on, small_backup
from command_line import trilho, trilho_json
from team_databases import PASSWORD, USER, Database
from team_server import serving

WORD = "a\"b#c\\d'e f"  # of the kind that ends a value in an option file


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_backup(tmp_path_factory.mktemp("small"))


def test_a_database_under_a_server_is_not_replaced(database: Database, backup: Path, tmp_path: Path) -> None:
    told = where(database.fresh(), tmp_path / "artifacts")
    with serving(told["MLFLOW_BACKEND_STORE_URI"], told["MLFLOW_ARTIFACTS_DESTINATION"]) as server:
        refused = trilho(tmp_path, "restore", str(backup), code=1, **told)
        assert "is in use. Nothing was changed." in refused.stderr
        assert "team@" in refused.stderr
        go_on(server.address)
    copy = tmp_path / backup.name
    copy.write_bytes(backup.read_bytes())
    done = trilho_json(tmp_path, "restore", copy.name, "--force", code=0, **told)
    assert done["before"]["manifest"]["counts"]["runs"] == 1


def test_another_programs_tables_are_never_dropped(database: Database, backup: Path, tmp_path: Path) -> None:
    uri = database.fresh()
    database.ask("CREATE TABLE invoices (number INTEGER)", uri)
    told = where(uri, tmp_path / "artifacts")
    for force in ((), ("--force",)):
        refused = trilho(tmp_path, "restore", str(backup), *force, code=1, **told)
        assert "is not MLflow's alone. Nothing was changed." in refused.stderr
        assert "invoices" in refused.stderr
    assert database.ask("SELECT COUNT(*) FROM invoices", uri) == [(0,)]


def test_rows_in_a_table_that_only_has_a_name_of_mlflows_are_in_the_way(
    database: Database, backup: Path, tmp_path: Path
) -> None:
    uri = database.fresh()
    database.ask("CREATE TABLE jobs (number INTEGER)", uri)
    database.ask("INSERT INTO jobs VALUES (1)", uri)
    refused = trilho(tmp_path, "restore", str(backup), code=1, **where(uri, tmp_path / "artifacts"))
    assert "1 rows in its table jobs" in refused.stderr
    assert database.ask("SELECT number FROM jobs", uri) == [(1,)]


def test_functions_that_are_there_already_stop_no_restore(postgres: Database, backup: Path, tmp_path: Path) -> None:
    uri = postgres.fresh()
    postgres.ask("CREATE FUNCTION theirs() RETURNS integer LANGUAGE sql AS 'SELECT 7'", uri)
    told = where(uri, tmp_path / "artifacts")
    copy = tmp_path / backup.name
    copy.write_bytes(backup.read_bytes())
    trilho(tmp_path, "restore", copy.name, **told)
    trilho(tmp_path, "backup", "team.tar.zst", **told)
    done = trilho_json(tmp_path, "restore", "team.tar.zst", "--force", **told)
    assert done["found"]["runs"] == 41
    assert postgres.ask("SELECT theirs()", uri) == [(7,)]


def test_any_character_of_a_password_reaches_mysqls_tools(mariadb: Database, tmp_path: Path) -> None:
    from sqlalchemy.engine import make_url

    uri = mariadb.fresh()
    mariadb.ask("CREATE TABLE runs (run_uuid INTEGER)", uri)
    quoted = WORD.replace("\\", "\\\\").replace("'", "\\'")
    mariadb.ask(f"SET PASSWORD FOR {USER}@'%' = PASSWORD('{quoted}')")
    try:
        odd = make_url(uri).set(password=WORD).render_as_string(hide_password=False)
        trilho(tmp_path, "backup", "b.tar.zst", **where(odd, tmp_path / "artifacts"))
    finally:
        mariadb.ask(f"SET PASSWORD FOR {USER}@'%' = PASSWORD('{PASSWORD}')", odd)
    assert (tmp_path / "b.tar.zst").exists()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="command lines are read as Linux shows them")
def test_a_password_that_was_typed_leaves_the_list_of_processes(mariadb: Database, tmp_path: Path) -> None:
    """While mysqldump runs, its parent is the command that was typed."""
    uri, tools, seen = mariadb.fresh(), tmp_path / "bin", tmp_path / "seen"
    mariadb.ask("CREATE TABLE runs (run_uuid INTEGER)", uri)
    tools.mkdir()
    wrapper = tools / "mysqldump"
    dump = shutil.which("mysqldump")
    wrapper.write_text(f'#!/bin/sh\ntr "\\0" " " < /proc/$PPID/cmdline > {seen}\nexec {dump} "$@"\n', encoding="utf-8")
    wrapper.chmod(0o755)
    path = f"{tools}{os.pathsep}{os.environ['PATH']}"
    for number, typed in enumerate((["--backend-store-uri", uri], [f"--backend-store-uri={uri}"])):
        words = ["backup", f"{number}.tar.zst", *typed, "--artifacts-destination", str(tmp_path / "artifacts")]
        trilho(tmp_path, *words, PATH=path)
        line = seen.read_text(encoding="utf-8")
        assert f"backup {number}.tar.zst --artifacts-destination" in line
        assert uri not in line


def where(uri: str, destination: Path) -> dict[str, str]:
    return {**at(destination), "MLFLOW_BACKEND_STORE_URI": uri, "MLFLOW_ARTIFACTS_DESTINATION": str(destination)}
