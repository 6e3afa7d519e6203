"""One server at a time may make or change the tables of MLflow's database: a lock, and what it finds under it.

The lock is the database's own (GET_LOCK, pg_advisory_lock), so it holds over machines and goes with the connection of a
server that died; SQLite has a file beside it.
"""

from __future__ import annotations

import filecmp
import hashlib
import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from trilho.errors import ServiceFailed
from trilho.platform.database import age, revision_in
from trilho.platform.database_address import DatabaseAddress
from trilho.platform.dated import dated
from trilho.platform.service import Say, silent

if TYPE_CHECKING:
    from sqlalchemy import Connection

LOCK_SECONDS = 1800.0  # a migration of a large database takes minutes; its server's death ends its lock at once

Schema = Literal["none", "current", "older", "newer"]

_SAID_EVERY = 15.0
_PAUSE = 0.2


@contextmanager
def alone(address: DatabaseAddress, *, seconds: float = LOCK_SECONDS, say: Say = silent) -> Iterator[None]:
    """While inside, no other server of trilho's makes or changes tables in this database.

    Raises:
        ServiceFailed: another one held the lock for `seconds`.
    """
    if address.file is not None:
        from filelock import FileLock

        _make_folder(address.file.parent)
        lock = FileLock(address.file.with_name(address.file.name + ".lock"))
        _until(lambda: _file_locked(lock), address, seconds, say)
        _give_to_owner(Path(lock.lock_file), address.file)
        try:
            yield
        finally:
            lock.release()
    else:
        with _connection(address) as connection:
            _until(lambda: _locked(connection, address), address, seconds, say)
            try:
                yield
            finally:
                with suppress(Exception):  # the connection's end does it as well
                    _unlock(connection, address)


def schema_of(address: DatabaseAddress) -> tuple[Schema, str]:
    """How the database's tables compare with what the installed MLflow wants, and the name of their schema."""
    import sqlalchemy

    if address.file is not None and not address.file.exists():
        return "none", ""
    engine = sqlalchemy.create_engine(address.uri, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        revision = revision_in(connection)
    return (age(revision) if revision else "none"), revision


def holds_nothing(address: DatabaseAddress) -> bool:
    """Whether no experiment is in it: a first start that was cut off left an older MLflow's tables, and no rows."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(address.uri, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        if not sqlalchemy.inspect(connection).has_table("experiments"):
            return True
        return connection.execute(sqlalchemy.text("SELECT 1 FROM experiments")).first() is None


def prepare_new(address: DatabaseAddress, say: Say = silent) -> None:
    """An empty MySQL database is told to keep all of Unicode, which older ones and MariaDB do not by default."""
    import sqlalchemy

    if address.kind != "mysql":
        return
    with _connection(address) as connection:
        found = connection.execute(sqlalchemy.text("SELECT @@character_set_database")).scalar()
        if found != "utf8mb4":
            name = connection.dialect.identifier_preparer.quote(address.database)
            connection.execute(sqlalchemy.text(f"ALTER DATABASE {name} CHARACTER SET utf8mb4"))
            say(f"The empty database '{address.database}' keeps utf8mb4 from now on; it was {found}.")


def copy_before_migration(address: DatabaseAddress, revision: str, say: Say = silent) -> Path | None:
    """A copy of a SQLite database beside it, named after its schema, which only its owner may read.

    No older copy is overwritten; one that is the same is not made twice, however often a server tries to start.
    """
    if address.file is None:
        return None
    folder, name = address.file.parent, f"{address.file.name}.{revision}"
    fresh = folder / f"{name}.new"
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    with closing(sqlite3.connect(address.file)) as source, closing(sqlite3.connect(fresh)) as target:
        source.backup(target)
    copy = next((old for old in folder.glob(f"{name}*.bak") if filecmp.cmp(old, fresh, shallow=False)), None)
    if copy is not None:
        fresh.unlink()
    else:
        copy = folder / f"{name}.bak"
        copy = dated(folder, name, ".bak") if copy.exists() else copy
        fresh.replace(copy)
    say(f"The database was copied to {copy} before it is migrated.")
    return copy


def refused_migration(address: DatabaseAddress, schema: Schema, revision: str, mlflow: str) -> ServiceFailed:
    """The error for a database that is not to be touched: a newer one, or an older one nobody has backed up."""
    if schema == "newer":
        return ServiceFailed(
            f"The tracking database was written by a newer MLflow than {mlflow}, which is installed.",
            state="It was not touched.",
            why=f"{address.shown} has schema {revision}, unknown to this MLflow.",
            remedy="Install the newer MLflow (pip install --upgrade mlflow, or the newer image), or put back the copy\n"
            "made before it was migrated.",
        )
    return ServiceFailed(
        f"The tracking database was written by an older MLflow than {mlflow}, and has to be migrated.",
        state="It was not touched.",
        why=f"{address.shown} has schema {revision}. A migration that stops half-way cannot be taken back.",
        remedy=f"Stop all its servers, copy it:\n  {_dump(address)}\nthen start this one with --migrate (or "
        "TRILHO_MIGRATE=true).",
    )


def unfinished(address: DatabaseAddress, why: str) -> ServiceFailed:
    """The error for tables that could not be made or migrated."""
    return ServiceFailed(
        "MLflow's server does not start over this database.",
        state=f"{address.shown} may hold a part of MLflow's tables.",
        why=why,
        remedy="The whole cause is in the log above. MLflow's tables want a database of their own. If a migration\n"
        "stopped half-way, put back the copy made before it.",
    )


def _dump(address: DatabaseAddress) -> str:
    where = f"-h {address.host} {'-P' if address.kind == 'mysql' else '-p'} {address.port}"
    if address.kind == "mysql":
        return f"mysqldump --single-transaction {where} -u {address.user} -p {address.database} > before.sql"
    return f"pg_dump -Fc {where} -U {address.user} {address.database} > before.dump"


def _give_to_owner(lock: Path, database: Path) -> None:
    """Whom the database belongs to may take the lock next time, although root made it."""
    with suppress(AttributeError, OSError):  # not on Windows; no database yet; not ours to give
        found = database.stat()
        os.chown(lock, found.st_uid, found.st_gid)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ServiceFailed(
            f"The folder of the database, {folder}, cannot be made: {error.strerror or error}.",
            state="Nothing was started.",
            remedy="Correct MLFLOW_BACKEND_STORE_URI: three slashes are a path from here (sqlite:///mlflow.db), four\n"
            "a path from the root (sqlite:////mlruns/mlflow.db), which in a container has to be a mounted volume.",
        ) from error


@contextmanager
def _connection(address: DatabaseAddress) -> Iterator[Connection]:
    import sqlalchemy

    engine = sqlalchemy.create_engine(
        address.uri, poolclass=sqlalchemy.pool.NullPool, isolation_level="AUTOCOMMIT"
    )  # no open transaction: it would stand in the way of the migration's own statements
    with engine.connect() as connection:
        yield connection


def _until(locked: Callable[[], bool], address: DatabaseAddress, seconds: float, say: Say) -> None:
    began, said = time.monotonic(), 0.0
    while not locked():
        now = time.monotonic()
        if now - began > seconds:
            raise ServiceFailed(
                f"Another server makes or migrates the tables of {address.shown}, for {seconds:.0f} s by now.",
                state="Nothing was started.",
                remedy="Look at that server's log. If it hangs, end it: its lock ends with it.",
            )
        if now - said > _SAID_EVERY:
            say("Another server makes or migrates the database's tables; waiting for it.")
            said = now
        time.sleep(_PAUSE)


def _file_locked(lock: object) -> bool:
    from filelock import FileLock, Timeout

    assert isinstance(lock, FileLock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True


def _locked(connection: Connection, address: DatabaseAddress) -> bool:
    import sqlalchemy

    digest = hashlib.sha256(f"trilho {address.database}".encode()).digest()  # MySQL's locks are the whole server's
    if address.kind == "mysql":
        return connection.execute(sqlalchemy.text("SELECT GET_LOCK(:n, 0)"), {"n": digest.hex()[:40]}).scalar() == 1
    number = int.from_bytes(digest[:8], "big", signed=True)
    return bool(connection.execute(sqlalchemy.text("SELECT pg_try_advisory_lock(:n)"), {"n": number}).scalar())


def _unlock(connection: Connection, address: DatabaseAddress) -> None:
    import sqlalchemy

    what = "RELEASE_ALL_LOCKS()" if address.kind == "mysql" else "pg_advisory_unlock_all()"
    connection.execute(sqlalchemy.text(f"SELECT {what}"))
