"""The copy that is made of a SQLite database before it is migrated."""

from __future__ import annotations

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

from trilho.platform.database_address import parse_database
from trilho.platform.migrating import copy_before_migration


def filled(file: Path, rows: int) -> None:
    with closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE IF NOT EXISTS runs (id INTEGER)")
        database.executemany("INSERT INTO runs VALUES (?)", [(row,) for row in range(rows)])


def count(file: Path) -> int:
    with closing(sqlite3.connect(file)) as database:
        return int(database.execute("SELECT count(*) FROM runs").fetchone()[0])


def test_the_copy_is_of_today_and_older_ones_stay(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    address = parse_database(f"sqlite:///{file.as_posix()}")
    filled(file, 1)
    first = copy_before_migration(address, "abc")
    filled(file, 1)  # put back from the copy, used again, and to be migrated again
    second = copy_before_migration(address, "abc")
    assert first == tmp_path / "mlflow.db.abc.bak"
    assert second is not None
    assert (count(first), count(second)) == (1, 2)
    assert stat.S_IMODE(second.stat().st_mode) == 0o600


def test_a_server_that_starts_again_and_again_fills_no_disk(tmp_path: Path) -> None:
    file = tmp_path / "mlflow.db"
    address = parse_database(f"sqlite:///{file.as_posix()}")
    filled(file, 1)
    copies = {copy_before_migration(address, "abc") for _ in range(3)}
    assert copies == {tmp_path / "mlflow.db.abc.bak"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mlflow.db", "mlflow.db.abc.bak"]
