"""Which schema of MLflow's tables a database has, and whether the installed MLflow knows it."""

from __future__ import annotations

from typing import Literal

from trilho.platform.backup.tables import connected
from trilho.platform.database import known_revisions
from trilho.platform.database_address import DatabaseAddress


def revision_of(address: DatabaseAddress) -> str:
    """The revision that the tables have; "" where they are not MLflow's."""
    import sqlalchemy

    with connected(address) as connection:
        if not sqlalchemy.inspect(connection).has_table("alembic_version"):
            return ""
        return str(connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).scalar() or "")


def age(revision: str) -> Literal["current", "older", "newer"]:
    """How a schema compares with what the installed MLflow wants."""
    known = known_revisions()
    if not known:
        return "current"
    if revision not in known:
        return "newer"
    return "older" if revision in known.values() else "current"
