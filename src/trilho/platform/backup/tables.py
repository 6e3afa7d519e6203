"""The tables of a database that is restored into: what is in them, emptied, and written to in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from trilho.errors import BackupFailed
from trilho.platform.database import revision_in
from trilho.platform.database_address import DatabaseAddress

if TYPE_CHECKING:
    from sqlalchemy import Connection

# What may hold rows in a database that nobody has used: bookkeeping of MLflow, its schema and its own jobs.
_BOOKKEEPING = ("alembic_version", "workspaces", "scheduler_leases", "jobs", "job_locks")


def sqlite_file(file: Path) -> DatabaseAddress:
    """The address of a SQLite file."""
    return DatabaseAddress(kind="sqlite", uri=f"sqlite:///{file.as_posix()}", shown=str(file), file=file)


def revision_of(address: DatabaseAddress) -> str:
    """The schema that the tables say they have; "" where they are not MLflow's."""
    with connected(address) as connection:
        return revision_in(connection)


def rows_of(address: DatabaseAddress) -> dict[str, int]:
    """Table → rows; none for a SQLite file that does not exist."""
    import sqlalchemy

    if address.file is not None and not address.file.exists():
        return {}
    with connected(address) as connection:
        counted = {}
        for name in sorted(sqlalchemy.inspect(connection).get_table_names()):
            table = sqlalchemy.table(name)
            counted[name] = connection.execute(sqlalchemy.select(sqlalchemy.func.count()).select_from(table)).scalar()
    return {name: number or 0 for name, number in counted.items()}


def versions_of(address: DatabaseAddress) -> int:
    """Versions of models: neither events of histories, which MLflow keeps as versions, too, nor deleted ones."""
    import sqlalchemy

    with connected(address) as connection:
        if not sqlalchemy.inspect(connection).has_table("model_versions"):
            return 0
        found = connection.execute(
            sqlalchemy.text(
                "SELECT COUNT(*) FROM model_versions WHERE name NOT LIKE :history "
                "AND COALESCE(current_stage, '') <> 'Deleted_Internal'"
            ),
            {"history": "%.history"},
        )
        return int(found.scalar() or 0)


def in_use(rows: dict[str, int]) -> str:
    """What speaks against calling these tables empty: "340 runs"; "" where nothing does.

    A server that was started once has left its tables and MLflow's default experiment: that is empty, too.
    """
    if rows.get("runs"):
        return f"{rows['runs']} runs"
    free = _BOOKKEEPING if {"alembic_version", "experiments", "runs"} <= rows.keys() else ()  # else not MLflow's
    held = [name for name, number in rows.items() if number > (name == "experiments") and name not in free]
    return f"{rows[held[0]]} rows in its table {held[0]}" if held else ""


def refuse_others(address: DatabaseAddress, backed_up: Iterable[str]) -> None:
    """Nothing, unless another program has tables in this database: neither MLflow's, nor in the backup.

    Raises:
        BackupFailed: it has, or the database cannot be used.
    """
    import sqlalchemy

    with connected(address) as connection:
        there = set(sqlalchemy.inspect(connection).get_table_names())
    if others := sorted(there - _ours(backed_up)) if there else []:
        raise BackupFailed(
            f"{address.shown} is not MLflow's alone.",
            state="Nothing was changed.",
            why=f"It has tables that MLflow does not know: {', '.join(others[:5])}{', …' if others[5:] else ''}.",
            remedy="Give MLflow a database of its own: CREATE DATABASE mlflow;   then restore into that.",
        )


def drop_all(address: DatabaseAddress, backed_up: Iterable[str]) -> None:
    """Remove MLflow's tables and those of the backup. What else is in the database stays."""
    import sqlalchemy

    ours = _ours(backed_up)
    with connected(address) as connection:
        found = sqlalchemy.MetaData()
        found.reflect(connection, only=lambda name, _: name in ours)
        found.drop_all(connection)


def _ours(backed_up: Iterable[str]) -> frozenset[str]:
    from trilho.tracking.schema import tables_ever

    return tables_ever() | frozenset(backed_up)


@contextmanager
def connected(address: DatabaseAddress) -> Iterator[Connection]:
    """A connection in one transaction, done at the end of the block, undone where it raises.

    Raises:
        BackupFailed: the database cannot be reached, or refuses. The message holds no password.
    """
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError

    where: str | sqlalchemy.URL = address.uri
    if address.file is not None:  # a "?" in a path would mean something in an address
        where = sqlalchemy.URL.create("sqlite", database=str(address.file))
    engine = sqlalchemy.create_engine(where, poolclass=sqlalchemy.pool.NullPool, hide_parameters=True)
    try:
        with engine.begin() as connection:
            yield connection
    except SQLAlchemyError as error:
        said = " ".join(str(getattr(error, "orig", None) or error).split())
        said = said.replace(address.password, "***") if address.password else said
        raise BackupFailed(
            f"The database at {address.shown} cannot be used.",
            why=said[:600],
            remedy="Is it started, does it exist, and are user and password right? Then run the command again.",
        ) from error
