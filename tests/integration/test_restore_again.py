"""A restore that was not finished, and the same command again: it goes on, and never over what came in between."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from backups import at, script, small_backup
from command_line import trilho, trilho_json
from trilho.errors import BackupFailed, ServiceFailed
from trilho.platform.backup import Restored, restore
from trilho.platform.backup.tables import sqlite_file
from trilho.platform.backup.unfinished import refuse_unfinished

MARK = ".trilho-restore"


_KILLED_WHILE_IT_WRITES = """
import os, sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA journal_mode=DELETE")
database.execute("UPDATE runs SET name = 'old'")
database.execute("PRAGMA cache_size=1")
database.execute("BEGIN")
database.execute("UPDATE runs SET name = hex(randomblob(100))")
database.execute("CREATE TABLE large AS SELECT randomblob(1000000)")
print("written", flush=True)
os._exit(0)
"""


class Killed(BaseException):
    """As a kill ends it: nothing is put in order."""


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_backup(tmp_path_factory.mktemp("small"))


@pytest.fixture
def filled(backup: Path, tmp_path: Path) -> Path:
    """Where a restore was killed after the database was filled, and before its mark was removed."""
    other, mark = tmp_path / "other", ""

    def say(told: str) -> None:
        nonlocal mark
        if told.startswith("Filling"):
            mark = (other / "artifacts" / MARK).read_text(encoding="utf-8")

    restore(backup, sqlite_file(other / "mlflow.db"), str(other / "artifacts"), say=say)
    assert json.loads(mark)["backup"] == backup.name
    (other / "artifacts" / MARK).write_text(mark, encoding="utf-8")
    return other


def test_runs_that_came_after_it_are_never_replaced_without_a_backup(backup: Path, filled: Path) -> None:
    ask(filled, "INSERT INTO runs (run_uuid, name, experiment_id) VALUES ('new', 'since', 0)")
    with pytest.raises(BackupFailed, match="hold 42 runs"):
        again(backup, filled)
    assert ask(filled, "SELECT name FROM runs WHERE run_uuid = 'new'") == [("since",)]
    copy = filled / backup.name
    copy.write_bytes(backup.read_bytes())
    done = trilho_json(filled, "restore", copy.name, "--force", **at(filled))
    assert done["before"]["manifest"]["counts"]["runs"] == 42
    assert ask(filled, "SELECT COUNT(*) FROM runs") == [(41,)]
    assert not (filled / "artifacts" / MARK).exists()


def test_a_database_that_was_filled_is_left_as_it_is(backup: Path, filled: Path) -> None:
    ask(filled, "UPDATE runs SET name = 'changed since'")
    done = again(backup, filled)
    assert done.plan.resumes
    assert done.found == done.plan.manifest.counts
    assert ask(filled, "SELECT DISTINCT name FROM runs") == [("changed since",)]
    assert not (filled / "artifacts" / MARK).exists()


def test_a_forced_one_that_was_killed_says_not_that_it_is_done(backup: Path, tmp_path: Path) -> None:
    """The rows that are there are as many as in the backup, and others."""
    copy, other = tmp_path / backup.name, tmp_path / "other"
    copy.write_bytes(backup.read_bytes())
    again(copy, other)
    ask(other, "UPDATE runs SET name = 'mine'")

    def killed(told: str) -> None:
        if told.startswith("Filling"):
            raise Killed

    with pytest.raises(Killed):
        restore(copy, sqlite_file(other / "mlflow.db"), str(other / "artifacts"), force=True, say=killed)
    assert (other / "artifacts" / MARK).exists()
    with pytest.raises(BackupFailed, match="hold 41 runs"):
        again(copy, other)
    assert ask(other, "SELECT DISTINCT name FROM runs") == [("mine",)]
    done = restore(copy, sqlite_file(other / "mlflow.db"), str(other / "artifacts"), force=True)
    assert done is not None
    assert done.before is not None
    assert ask(other, "SELECT DISTINCT name FROM runs") != [("mine",)]


@pytest.mark.parametrize("mark", ["{", "[]", "7", '{"backup": "other.tar.zst"}'])
def test_a_mark_that_nobody_understands_is_in_the_way(mark: str, backup: Path, tmp_path: Path) -> None:
    (tmp_path / "other" / "artifacts").mkdir(parents=True)
    (tmp_path / "other" / "artifacts" / MARK).write_text(mark, encoding="utf-8")
    with pytest.raises(BackupFailed, match="an unfinished restore of a backup"):
        again(backup, tmp_path / "other")


def test_a_server_starts_over_no_unfinished_restore(filled: Path, tmp_path: Path) -> None:
    with pytest.raises(ServiceFailed, match="not finished"):
        refuse_unfinished(str(filled / "artifacts"))
    refuse_unfinished(str(tmp_path / "nowhere"))
    refuse_unfinished("gs://a-bucket-that-nobody-asks")


def test_what_is_lost_meanwhile_is_told_and_the_command_with_force_brings_it_back(backup: Path, filled: Path) -> None:
    copy = filled / backup.name
    copy.write_bytes(backup.read_bytes())
    next((filled / "artifacts").rglob("noise.bin")).unlink()
    done = trilho(filled, "restore", copy.name, code=1, **at(filled))
    assert "40 artifacts, 41 in the backup" in done.stderr
    assert f"trilho restore {copy.name} --force" in done.stderr
    again = trilho_json(filled, "restore", copy.name, "--force", **at(filled))
    assert again["found"] == again["manifest"]["counts"]
    assert again["before"]["manifest"]["counts"]["artifacts"] == 40


def test_the_journal_of_a_database_that_was_deleted_changes_nothing_of_the_new_one(
    backup: Path, tmp_path: Path
) -> None:
    """A server that was killed while it wrote leaves what SQLite rolls back into whatever has the database's name."""
    other = tmp_path / "other"
    again(backup, other)
    script(_KILLED_WHILE_IT_WRITES, str(other / "mlflow.db"))
    assert (other / "mlflow.db-journal").stat().st_size > 0
    (other / "mlflow.db").unlink()
    for file in (other / "artifacts").rglob("*.bin"):
        file.unlink()
    again(backup, other)
    assert ask(other, "PRAGMA integrity_check") == [("ok",)]
    assert ask(other, "SELECT COUNT(*) FROM runs") == [(41,)]
    assert ask(other, "SELECT COUNT(*) FROM runs WHERE name = 'old'") == [(0,)]


def again(backup: Path, folder: Path) -> Restored:
    done = restore(backup, sqlite_file(folder / "mlflow.db"), str(folder / "artifacts"))
    assert done is not None
    return done


def ask(folder: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "mlflow.db")) as database, database:
        return database.execute(statement).fetchall()
