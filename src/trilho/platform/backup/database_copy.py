"""A copy of MLflow's database as of one instant, while its server goes on: SQLite's own backup, or the dump tools'."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from trilho.errors import BackupFailed
from trilho.platform.backup.dump_tools import dump
from trilho.platform.backup.tables import rows_of, sqlite_file, versions_of
from trilho.platform.database_address import DatabaseAddress
from trilho.private_files import private_file

MEMBERS = {"sqlite": "database.sqlite", "mysql": "database.mysql.sql", "postgresql": "database.postgresql.sql"}
_BUSY_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class DatabaseCopy:
    """The copy: its files by the names of their members, and what is in it."""

    files: Mapping[str, Path]
    rows: Mapping[str, int] = field(default_factory=dict)
    versions: int = 0
    damaged: bool = False


def copy_database(address: DatabaseAddress, folder: Path, *, damaged_too: bool = False) -> DatabaseCopy:
    """Copy the database at `address` into `folder`.

    Args:
        damaged_too: A SQLite file that cannot be read is taken as it is, with its write-ahead log.

    Raises:
        BackupFailed: it is damaged, not there, or its tool is missing or refuses.
    """
    target = folder / MEMBERS[address.kind]
    if address.file is None:
        dumped = dump(address, target)
        return DatabaseCopy(files={target.name: target}, rows=dumped.rows, versions=dumped.versions)
    try:
        return _copy_sqlite(address.file, target)
    except sqlite3.DatabaseError as error:
        if not damaged_too or (isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error)):
            raise _unreadable(address.file, error) from error
        return _as_it_is(address.file, folder)


# ----------------------------------------------------------------------------------------------------------------------


def _copy_sqlite(file: Path, target: Path) -> DatabaseCopy:
    if not file.is_file():
        raise BackupFailed(
            f"There is no database {file}.",
            state="Nothing was written.",
            remedy="Name it: --backend-store-uri sqlite:///FOLDER/mlflow.db (or MLFLOW_BACKEND_STORE_URI).",
        )
    where = f"{file.resolve().as_uri()}?mode=rw"
    with (
        closing(sqlite3.connect(where, uri=True, timeout=_BUSY_SECONDS)) as source,
        closing(sqlite3.connect(_made_private(target))) as copy,
    ):
        source.backup(copy)  # in one step: in several, each write of another process would begin it anew
        copy.execute("PRAGMA journal_mode=DELETE")  # one file that holds everything
        found = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise sqlite3.DatabaseError(found)
    copied = sqlite_file(target)
    return DatabaseCopy(files={target.name: target}, rows=rows_of(copied), versions=versions_of(copied))


def _as_it_is(file: Path, folder: Path) -> DatabaseCopy:
    files = {}
    for ending in ("", "-wal", "-journal"):
        found = file.with_name(file.name + ending)
        if found.exists():
            name = f"database.damaged{ending}"
            files[name] = Path(shutil.copyfile(found, _made_private(folder / name)))
    return DatabaseCopy(files=files, damaged=True)


def _made_private(path: Path) -> Path:
    private_file(path).close()
    return path


def _unreadable(file: Path, error: sqlite3.Error) -> BackupFailed:
    if isinstance(error, sqlite3.OperationalError) and "malformed" not in str(error):
        return BackupFailed(
            f"The database {file} cannot be read.",
            state="Nothing was written.",
            why=f"SQLite says: {error}.",
            remedy="Is another program holding it, or may you not write beside it? Then run the command again.",
        )
    return BackupFailed(
        f"The database {file} is damaged.",
        state="Nothing was written: a backup of it would be as damaged.",
        why=f"SQLite says: {' '.join(str(error).split())}.",
        remedy="Stop its server (trilho down) and put the last backup back: trilho restore BACKUP --force\n"
        "That keeps the damaged file, too.",
    )
