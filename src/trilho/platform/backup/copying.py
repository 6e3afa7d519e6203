"""From a laptop's SQLite file to a team's PostgreSQL or MySQL: table by table, into tables that MLflow made itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from trilho.errors import BackupFailed
from trilho.platform.backup.tables import connected, sqlite_file
from trilho.platform.database_address import DatabaseAddress
from trilho.platform.service import Say

if TYPE_CHECKING:
    from sqlalchemy import Connection, MetaData, Table

_BATCH = 1000
_SCHEMA = "alembic_version"


def copy_tables(source: Path, address: DatabaseAddress, say: Say) -> None:
    """All rows of the SQLite file `source`, in one transaction: all of them arrive, or none.

    The tables at `address` are MLflow's own, of the same schema; what else the source has, such as the tables of a
    server's users, is made like there. Numbers that the database counts up by itself go on
    after the highest one; booleans, dates and JSON become the target's own kinds.

    Raises:
        BackupFailed: the target refuses a row.
    """
    import sqlalchemy
    from sqlalchemy.exc import SQLAlchemyError

    with connected(sqlite_file(source)) as old, connected(address) as new:
        ours, theirs = sqlalchemy.MetaData(), sqlalchemy.MetaData()
        ours.reflect(old)
        theirs.reflect(new)
        _same_columns(ours, theirs, address)
        _make_others(ours, theirs, new)
        if address.kind == "mysql":  # else MySQL takes experiment 0, MLflow's default one, for "give it a number"
            new.execute(sqlalchemy.text("SET SESSION sql_mode = CONCAT(@@sql_mode, ',NO_AUTO_VALUE_ON_ZERO')"))
        copied = [table for table in theirs.sorted_tables if table.name != _SCHEMA]
        for table in reversed(copied):  # rows that MLflow's migrations put into new tables
            new.execute(table.delete())
        for table in copied:
            try:
                count = _copy(old, ours.tables[table.name], new, table)
            except SQLAlchemyError as error:
                raise _refused(table.name, address, error) from error
            if count > _BATCH:
                say(f"{table.name}: {count} rows")
        if address.kind == "postgresql":
            _set_sequences(new, copied)


# ----------------------------------------------------------------------------------------------------------------------


def _copy(old: Connection, ours: Table, new: Connection, theirs: Table) -> int:
    import sqlalchemy

    count = 0
    flags = {column.name for column in theirs.columns if isinstance(column.type, sqlalchemy.Boolean)}
    names = [column.name for column in ours.columns]
    found = old.execution_options(yield_per=_BATCH).execute(sqlalchemy.select(ours))
    for batch in found.partitions():
        rows: list[dict[str, Any]] = [dict(zip(names, row, strict=True)) for row in batch]
        for row in rows:
            for flag in flags & row.keys():
                row[flag] = None if row[flag] is None else bool(row[flag])
        new.execute(theirs.insert(), rows)
        count += len(rows)
    return count


def _same_columns(ours: MetaData, theirs: MetaData, address: DatabaseAddress) -> None:
    for name, table in ours.tables.items():
        lacking = set(table.columns.keys()) - set(theirs.tables[name].columns.keys()) if name in theirs.tables else ()
        if lacking:
            raise BackupFailed(
                f"The table {name} at {address.shown} has no {', '.join(sorted(lacking))}.",
                state="No row was copied.",
                why="The backup has what the installed MLflow does not make.",
                remedy="Install the MLflow that wrote the backup: trilho restore BACKUP --dry-run names its version.",
            )


def _make_others(ours: MetaData, theirs: MetaData, new: Connection) -> None:
    others = [table for table in ours.sorted_tables if table.name not in theirs.tables]
    for table in others:
        made = table.to_metadata(theirs)
        for column in made.columns:
            column.server_default = None  # SQLite's way to write it is not everybody's
    theirs.create_all(new, tables=[theirs.tables[table.name] for table in others])


def _set_sequences(new: Connection, tables: list[Table]) -> None:
    import sqlalchemy

    for table in tables:
        for column in table.primary_key.columns:
            names = {"table": f'"{table.name}"', "column": column.name}
            sequence = new.execute(sqlalchemy.text("SELECT pg_get_serial_sequence(:table, :column)"), names).scalar()
            if sequence is not None:
                highest = new.execute(sqlalchemy.select(sqlalchemy.func.max(column))).scalar()
                new.execute(
                    sqlalchemy.text("SELECT setval(CAST(:name AS regclass), :value, :used)"),
                    {"name": sequence, "value": highest or 1, "used": bool(highest)},
                )


def _refused(table: str, address: DatabaseAddress, error: Exception) -> BackupFailed:
    said = " ".join(str(getattr(error, "orig", None) or error).split())[:400]
    remedy = (
        "Correct or delete that row in the source, back it up again, and restore that. SQLite checks neither the\n"
        "length of a text nor its characters; other databases do."
    )
    if address.kind == "mysql" and "uplicate entry" in said:
        remedy = (
            "This database takes 'F1' and 'f1' for the same name; SQLite does not. Make it tell them apart:\n"
            f"ALTER DATABASE {address.database} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;   then restore again."
        )
    return BackupFailed(
        f"The database at {address.shown} refuses a row of the table {table}.",
        state="No row was copied.",
        why=said,
        remedy=remedy,
    )
