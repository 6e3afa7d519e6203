"""A first start over MySQL that was cut off: its tables are there by halves, hold nothing, and are made anew.

MySQL cannot take back a part of a migration, and MLflow then fails over its own tables ("Table 'experiments' already
exists"). PostgreSQL and SQLite take it back by themselves.
"""

from __future__ import annotations

from collections.abc import Set
from typing import TYPE_CHECKING

from trilho.platform.database_address import DatabaseAddress

if TYPE_CHECKING:
    from sqlalchemy import Connection

_VERSION = "alembic_version"


def drop_cut_off_tables(address: DatabaseAddress, known: Set[str]) -> int:
    """Drop the tables called `known` if no table of the database holds a row; how many were dropped.

    Nothing is lost by that, whoever made them. Call it behind the lock of `migrating.alone`.

    Args:
        known: The tables of the installed MLflow. Others stay as they are.
    """
    import sqlalchemy

    if address.kind != "mysql":
        return 0
    engine = sqlalchemy.create_engine(address.uri, poolclass=sqlalchemy.pool.NullPool)
    with engine.begin() as connection:
        there = set(sqlalchemy.inspect(connection).get_table_names())
        if any(_has_rows(connection, name) for name in there - {_VERSION}):
            return 0
        ours = there & (known | {_VERSION})
        connection.execute(sqlalchemy.text("SET FOREIGN_KEY_CHECKS = 0"))
        for name in sorted(ours):
            connection.execute(sqlalchemy.text(f"DROP TABLE {_quoted(connection, name)}"))
        return len(ours)


# ---------------------------------------------------------------------------------------------------------------------


def _has_rows(connection: Connection, name: str) -> bool:
    import sqlalchemy

    return connection.execute(sqlalchemy.text(f"SELECT 1 FROM {_quoted(connection, name)} LIMIT 1")).first() is not None


def _quoted(connection: Connection, name: str) -> str:
    return connection.dialect.identifier_preparer.quote(name)
