"""The tables of MLflow's users, on MySQL: its own migrations of them do not run there.

They give the foreign keys of two tables one name, which MySQL refuses. So they run on an empty SQLite file, and what
comes of them is made on MySQL without the names.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from trilho.platform.database_address import DatabaseAddress

if TYPE_CHECKING:
    from sqlalchemy import Engine

_VERSION = "alembic_version_auth"


def make_user_tables(address: DatabaseAddress, migrate: Callable[[Engine], None]) -> None:
    """Nothing, where they are there already, or the database is not MySQL.

    Args:
        address: The database.
        migrate: MLflow's own way to make them.
    """
    if address.kind != "mysql":
        return
    import sqlalchemy

    engine = sqlalchemy.create_engine(address.uri, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        there = sqlalchemy.inspect(connection).has_table(_VERSION)
        if there and connection.execute(sqlalchemy.text(f"SELECT version_num FROM {_VERSION}")).first() is not None:
            return
    with tempfile.TemporaryDirectory(prefix="trilho-") as folder:
        model = sqlalchemy.create_engine(
            f"sqlite:///{Path(folder, 'users.db').as_posix()}", poolclass=sqlalchemy.pool.NullPool
        )
        migrate(model)
        tables = sqlalchemy.MetaData()
        tables.reflect(model)
        with model.connect() as connection:
            versions = [dict(row._mapping) for row in connection.execute(tables.tables[_VERSION].select())]
    for table in tables.tables.values():
        for key in table.foreign_key_constraints:
            key.name = None
    tables.create_all(engine)
    with engine.begin() as connection:  # last: tables without it are made again where they are missing
        connection.execute(tables.tables[_VERSION].insert(), versions)
