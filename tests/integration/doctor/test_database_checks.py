"""Databases that are locked, damaged, of another MLflow, or away."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from mlflow.exceptions import MlflowException

from command_line import trilho_json, write_project
from integration.doctor.conftest import Diagnose, in_trouble
from team_databases import PASSWORD, Database
from trilho.platform.database import known_revisions


@pytest.fixture(scope="module")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What MLflow makes of a new file."""
    file = tmp_path_factory.mktemp("database") / "mlflow.db"
    made(f"sqlite:///{file}")
    return file


@pytest.fixture
def database(tmp_path: Path, new_database: Path) -> Path:
    return Path(shutil.copy(new_database, tmp_path))


def made(uri: str) -> None:
    """Open a store as MLflow's server does: new tables are made, old ones checked."""
    with opened(uri):
        pass


@contextmanager
def opened(uri: str) -> Iterator[Any]:
    """MLflow's own store. What its libraries warn of each other is none of these tests' affair."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        store = SqlAlchemyStore(uri, "mlflow-artifacts:/")
        try:
            yield store
        finally:
            store.engine.dispose()


@contextmanager
def held(file: Path) -> Iterator[None]:
    """Another process that writes and does not come to an end."""
    code = (
        "import sqlite3, sys\ndatabase = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute('BEGIN EXCLUSIVE')\nprint('held', flush=True)\nsys.stdin.read()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield
    finally:
        process.communicate()


def test_fine_database_is_fine(diagnose: Diagnose, database: Path) -> None:
    found = diagnose(database=f"sqlite:///{database}")
    assert in_trouble(found) == []
    assert {found[name].state for name in ("database-locked", "database-damaged", "database-schema")} == {"ok"}


def test_locked_database_is_named(diagnose: Diagnose, database: Path) -> None:
    with opened(f"sqlite:///{database}") as store, held(database):
        with pytest.raises(MlflowException, match="database is locked"):
            store.create_experiment("waits")
        found = diagnose(database=f"sqlite:///{database}")
    assert in_trouble(found) == ["database-locked"]
    assert "database is locked" in found["database-locked"].measured
    assert "lsof" in found["database-locked"].remedy
    assert in_trouble(diagnose(database=f"sqlite:///{database}")) == []  # looking left no lock of its own


def test_damaged_database_is_named(diagnose: Diagnose, database: Path) -> None:
    with database.open("r+b") as file:  # the pages after the first: its header still says SQLite
        file.seek(4096)
        file.write(b"\x5a" * (database.stat().st_size - 4096))
    with pytest.raises(Exception, match="database disk image is malformed"):
        made(f"sqlite:///{database}")
    found = diagnose(database=f"sqlite:///{database}")
    assert in_trouble(found) == ["database-damaged"]
    assert "trilho restore" in found["database-damaged"].remedy
    assert ".bak" in found["database-damaged"].remedy


def test_file_that_is_no_database_is_named(diagnose: Diagnose, tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    file.write_text("version https://git-lfs.github.com/spec/v1\n" * 30, encoding="utf-8")
    with pytest.raises(Exception, match="file is not a database"):
        made(f"sqlite:///{file}")
    found = diagnose(database="sqlite:///mlflow.db")  # relative to the folder that doctor looks at
    assert in_trouble(found) == ["database-damaged"]
    assert "file is not a database" in found["database-damaged"].measured


@pytest.mark.parametrize("by", ["option", "environment"])
def test_named_file_that_is_not_there_is_named_where_the_command_looks_for_it(by: str, tmp_path: Path) -> None:
    project, server = write_project(tmp_path / "churn", "churn", {}), tmp_path / "server"
    server.mkdir()
    named = "sqlite:///mlflow.db"
    words = ["--backend-store-uri", named] if by == "option" else []
    known = {} if by == "option" else {"MLFLOW_BACKEND_STORE_URI": named}
    told = trilho_json(server, "doctor", "-C", str(project), *words, code=1, **known)
    (found,) = (check for check in told["checks"] if check["state"] == "trouble")
    assert found["name"] == "database-unreachable"
    assert found["measured"] == f"There is no file {server / 'mlflow.db'}."
    assert "mount its volume" in found["remedy"]
    assert "start it once" in found["remedy"]
    made(f"sqlite:///{server / 'mlflow.db'}")
    told = trilho_json(server, "doctor", "-C", str(project), *words, **known)
    assert "database-damaged" in {check["name"] for check in told["checks"]}  # it is the file that was looked at


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        "./mlruns",
        "sqlite:///",
        "postgresql://team:ge@heim1@db/mlflow",
        "postgresql://team:x@db:abc/mlflow",
    ],
)
def test_address_that_is_none_of_a_database_is_trouble(diagnose: Diagnose, address: str) -> None:
    found = diagnose(database=address)
    assert "database-unreachable" in in_trouble(found)
    assert "not understood" in found["database-unreachable"].measured
    assert "sqlite:///mlflow.db" in found["database-unreachable"].remedy
    assert [name for name, finding in found.items() if finding.state == "unknown"] == []
    assert "heim1" not in str(found)


@pytest.mark.parametrize("age", ["older", "newer"])
@pytest.mark.parametrize("kind", ["sqlite", "mariadb", "postgres"])
def test_database_of_another_mlflow_is_named(
    diagnose: Diagnose, database: Path, kind: str, age: str, request: pytest.FixtureRequest
) -> None:
    server: Database | None = None if kind == "sqlite" else request.getfixturevalue(kind)
    uri = server.fresh() if server else f"sqlite:///{database}"
    known = known_revisions()
    newest = next(revision for revision in known if revision not in known.values())
    revision = known[newest] if age == "older" else "0123456789ab"
    statement = f"UPDATE alembic_version SET version_num = '{revision}'"
    if server:
        made(uri)
        server.ask(statement, uri)
    else:
        with closing(sqlite3.connect(database)) as connection, connection:
            connection.execute(statement)
    with pytest.raises(Exception, match=f"out-of-date database schema .found version {revision}"):
        made(uri)  # whichever of the two is the older one
    found = diagnose(database=uri)
    assert in_trouble(found) == ["database-schema"]
    assert str(revision) in found["database-schema"].measured
    assert f"{'an older' if age == 'older' else 'a newer'} MLflow" in found["database-schema"].measured
    assert PASSWORD not in str(found)


def test_upgrading_a_newer_database_fails_as_its_check_foretells(diagnose: Diagnose, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '0123456789ab'")
    upgrade = [sys.executable, "-m", "mlflow", "db", "upgrade", f"sqlite:///{database}"]
    said = subprocess.run(upgrade, capture_output=True, text=True, check=False)
    assert "Can't locate revision identified by '0123456789ab'" in said.stderr
    remedy = diagnose(database=f"sqlite:///{database}")["database-schema"].remedy
    assert "Install the newer MLflow" in remedy


@pytest.mark.parametrize(
    ("kind", "text"), [("mariadb", "Access denied for user"), ("postgres", "password authentication failed")]
)
def test_wrong_password_of_a_database_is_named_and_none_is_shown(
    diagnose: Diagnose, kind: str, text: str, request: pytest.FixtureRequest
) -> None:
    server: Database = request.getfixturevalue(kind)
    wrong = server.uri("trilho_any", password="wr@ng pass/word")
    with pytest.raises(Exception, match=text):
        server.ask("SELECT 1", wrong)
    found = diagnose(database=wrong)
    assert in_trouble(found) == ["database-unreachable"]
    assert text in found["database-unreachable"].measured
    assert "wr@ng" not in str(found)
    assert "wr%40ng" not in str(found)


@pytest.mark.parametrize("kind", ["mariadb", "postgres"])
def test_database_that_is_away_is_named(diagnose: Diagnose, kind: str, request: pytest.FixtureRequest) -> None:
    server: Database = request.getfixturevalue(kind)
    gone = server.uri("trilho_any", port=1)
    with pytest.raises(Exception, match="refused"):
        server.ask("SELECT 1", gone)
    found = diagnose(database=gone)
    assert in_trouble(found) == ["database-unreachable"]
    assert "refused" in found["database-unreachable"].measured
