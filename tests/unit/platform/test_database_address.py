from __future__ import annotations

import pytest

from trilho.errors import ServiceFailed
from trilho.platform.database_address import parse_database

SECRET = "s3cr3t-word"


@pytest.mark.parametrize(
    ("written", "driver", "package"),
    [
        ("mysql://ana:{}@db/mlflow", "mysql+pymysql", "pymysql"),
        ("mariadb://ana:{}@db/mlflow", "mysql+pymysql", "pymysql"),
        ("mysql+pymysql://ana:{}@db/mlflow", "mysql+pymysql", "pymysql"),
        ("postgres://ana:{}@db/mlflow", "postgresql+psycopg2", "psycopg2"),
        ("postgresql://ana:{}@db/mlflow", "postgresql+psycopg2", "psycopg2"),
        ("postgresql+psycopg://ana:{}@db/mlflow", "postgresql+psycopg2", "psycopg2"),
    ],
)
def test_every_way_to_write_it_leads_to_the_driver_that_mlflow_works_with(
    written: str, driver: str, package: str
) -> None:
    pytest.importorskip(package, reason=f"no driver here: pip install {package}")
    found = parse_database(written.format(SECRET))
    assert found.uri.startswith(f"{driver}://ana:{SECRET}@db/mlflow")
    assert (found.host, found.user, found.database, found.password) == ("db", "ana", "mlflow", SECRET)
    assert found.port == (3306 if found.kind == "mysql" else 5432)


def test_postgres_is_told_how_text_is_written_unless_the_address_says_it() -> None:
    pytest.importorskip("psycopg2", reason="no driver here: pip install psycopg2-binary")
    found = parse_database("postgresql://ana@db/mlflow")
    assert found.uri.endswith("?client_encoding=utf8&connect_timeout=10")
    found = parse_database("postgresql://ana@db/mlflow?client_encoding=latin1&sslmode=require")
    assert found.uri.endswith("?client_encoding=latin1&connect_timeout=10&sslmode=require")


def test_what_may_be_shown_holds_no_password() -> None:
    pytest.importorskip("pymysql", reason="no driver here: pip install pymysql")
    found = parse_database(f"mysql://ana:{SECRET}@db:3307/mlflow")
    assert found.shown == "mysql://ana@db:3307/mlflow"
    assert SECRET not in repr(found)


def test_a_password_of_signs_is_read_back_as_it_was() -> None:
    pytest.importorskip("pymysql", reason="no driver here: pip install pymysql")
    found = parse_database("mysql://ana:p%40%3A%2F%25s@db/mlflow")
    assert found.password == "p@:/%s"
    assert "p%40%3A%2F%25s" in found.uri


def test_sqlite_keeps_its_address_and_names_its_file() -> None:
    found = parse_database("sqlite:////data/mlflow/mlflow.db")
    assert (found.kind, found.uri, str(found.file)) == (
        "sqlite",
        "sqlite:////data/mlflow/mlflow.db",
        "/data/mlflow/mlflow.db",
    )


@pytest.mark.parametrize(
    "written",
    [
        "mlflow.db",
        "sqlite://",
        "sqlite:///:memory:",
        f"oracle://ana:{SECRET}@db/mlflow",
        f"mysql://ana:{SECRET}@db",
        f"mysql//ana:{SECRET}@db/mlflow",
        f"mysql://ana:{SECRET}@db:port/mlflow",
    ],
)
def test_what_is_no_database_is_refused_without_being_shown(written: str) -> None:
    with pytest.raises(ServiceFailed, match="MLFLOW_BACKEND_STORE_URI") as caught:
        parse_database(written)
    assert SECRET not in str(caught.value)
