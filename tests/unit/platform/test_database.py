from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from trilho.errors import ServiceFailed
from trilho.platform.database import check_database, known_revisions


def database_at(path: Path, revision: str) -> Path:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES (?)", (revision,))
        database.commit()
    return path


def newest() -> str:
    known = known_revisions()
    (head,) = set(known) - set(known.values())
    return head


def test_scripts_of_the_installed_mlflow_form_one_line() -> None:
    known = known_revisions()
    assert len(known) > 30
    assert list(known.values()).count(None) == 1
    assert newest()


def test_database_of_the_installed_mlflow_is_fine(tmp_path: Path) -> None:
    check_database(database_at(tmp_path / "mlflow.db", newest()))


def test_database_still_to_be_created_is_fine(tmp_path: Path) -> None:
    check_database(tmp_path / "mlflow.db")
    assert not (tmp_path / "mlflow.db").exists()


def test_empty_file_is_left_to_mlflow(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").touch()
    check_database(tmp_path / "mlflow.db")


def test_older_database_is_refused_with_the_way_to_copy_and_migrate_it(tmp_path: Path) -> None:
    older = known_revisions()[newest()]
    assert older is not None
    folder = tmp_path / "with space & ünïcode"
    folder.mkdir()
    path = database_at(folder / "mlflow.db", older)
    with pytest.raises(ServiceFailed) as caught:
        check_database(path)
    assert "older MLflow" in caught.value.what
    assert older in caught.value.why
    assert "mlflow db upgrade sqlite:///mlflow.db" in caught.value.remedy
    assert "mlflow.db.bak" in caught.value.remedy
    assert str(folder) in caught.value.remedy


def test_newer_database_is_refused_with_the_way_to_a_newer_mlflow(tmp_path: Path) -> None:
    with pytest.raises(ServiceFailed) as caught:
        check_database(database_at(tmp_path / "mlflow.db", "ffffffffffff"))
    assert "newer MLflow" in caught.value.what
    assert "pip install --upgrade mlflow" in caught.value.remedy


def test_damaged_database_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "mlflow.db"
    path.write_bytes(b"no database at all, but long enough to look like one" * 100)
    before = path.read_bytes()
    with pytest.raises(ServiceFailed) as caught:
        check_database(path)
    assert "damaged" in caught.value.what
    assert str(path) in caught.value.why
    assert path.read_bytes() == before


def test_log_left_behind_by_a_kill_is_folded_into_the_file(tmp_path: Path) -> None:
    path = database_at(tmp_path / "mlflow.db", newest())
    killed = sqlite3.connect(path)
    killed.execute("PRAGMA journal_mode=WAL")
    killed.execute("CREATE TABLE late (x)")
    killed.execute("INSERT INTO late VALUES (7)")
    killed.commit()
    aside = tmp_path / "killed"
    aside.mkdir()
    for file in tmp_path.glob("mlflow.db*"):  # what is on disk at this moment is what a kill leaves
        (aside / file.name).write_bytes(file.read_bytes())
    killed.close()
    check_database(aside / "mlflow.db")
    assert sorted(file.name for file in aside.iterdir()) == ["mlflow.db"]
    with closing(sqlite3.connect(aside / "mlflow.db")) as database:
        assert database.execute("SELECT x FROM late").fetchone() == (7,)
