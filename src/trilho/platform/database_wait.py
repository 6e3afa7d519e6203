"""Is the database there, and does it take us? Told apart: not up yet, never found, wrong password, no such database."""

from __future__ import annotations

import re
import socket

from trilho.platform.database_address import DatabaseAddress
from trilho.platform.patience import Trouble, wait_for
from trilho.platform.service import Say, silent

_TRY_SECONDS = 3

# Since PostgreSQL 15 only a database's owner may make tables in its schema `public`.
_MAY_MAKE_TABLES = (
    "SELECT to_regclass('alembic_version') IS NOT NULL "
    "OR has_schema_privilege(coalesce(current_schema(), 'public'), 'CREATE')"
)

# What a driver says → which trouble it is. PyMySQL gives MySQL's numbers; psycopg2 only the server's sentence.
_SIGNS = (
    (r"\b1045\b|\b1698\b|password authentication failed|no password supplied|role \".*\" does not exist", "password"),
    (r"\b1049\b|database \".*\" does not exist", "database"),
    (r"\b1044\b|permission denied for database|no pg_hba\.conf entry", "permission"),
)


def wait_for_database(address: DatabaseAddress, *, seconds: float, say: Say = silent) -> None:
    """Returns once the database answers a query.

    Raises:
        ServiceFailed: it did not within `seconds`; at once where its answer is final: it refuses the password, or has
            no such database.
    """
    if address.file is None:
        wait_for(f"the database at {address.shown}", lambda: _trouble(address), seconds=seconds, say=say)


def _trouble(address: DatabaseAddress) -> Trouble | None:
    import sqlalchemy

    try:
        socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # UnicodeError: "db..example.org", a part of a name is empty
        return Trouble(
            what=f"The database's host '{address.host}' has no address here.",
            why=f"Looking it up gave: {error}",
            remedy=f"Correct the host in MLFLOW_BACKEND_STORE_URI. Look it up: getent hosts {address.host}\n"
            "In compose it is the service's name (db), and both services must be on one network.",
            final=False,  # a name of compose or Kubernetes appears when its container does
        )
    patience = {"connect_timeout": _TRY_SECONDS}
    if address.kind == "mysql":
        patience["read_timeout"] = _TRY_SECONDS  # who listens there may be no MySQL, and never say a word
    engine = sqlalchemy.create_engine(address.uri, poolclass=sqlalchemy.pool.NullPool, connect_args=patience)
    try:
        with engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT 1"))
            if address.kind == "postgresql" and not connection.execute(sqlalchemy.text(_MAY_MAKE_TABLES)).scalar():
                return _no_tables(address)
    except sqlalchemy.exc.SQLAlchemyError as error:
        return _explained(address, str(getattr(error, "orig", None) or error))
    return None


def _explained(address: DatabaseAddress, said: str) -> Trouble:
    said = " ".join(said.replace(address.password, "***").split()) if address.password else " ".join(said.split())
    sign = next((name for pattern, name in _SIGNS if re.search(pattern, said, re.IGNORECASE)), "")
    if sign == "password":
        return Trouble(
            what=f"The database at {address.host}:{address.port} refuses the password of '{address.user}'.",
            why=said,
            remedy=f"Correct user and password in MLFLOW_BACKEND_STORE_URI. Try them by hand: {_by_hand(address)}\n"
            "A database keeps the password that it was first started with: one that was changed in .env later is not\n"
            "the volume's. Characters such as @ : / % are written as codes (%40 %3A %2F %25).",
            final=True,
        )
    if sign == "database":
        return Trouble(
            what=f"The database server at {address.host}:{address.port} has no database '{address.database}'.",
            why=said,
            remedy=f"Create it: {_creation(address)}\nOr correct the name in MLFLOW_BACKEND_STORE_URI.",
            final=True,
        )
    if sign == "permission":
        return Trouble(
            what=f"'{address.user}' may not use the database '{address.database}' at {address.host}:{address.port}.",
            why=said,
            remedy=f"Let it: {_grant(address)}",
            final=True,
        )
    return Trouble(
        what=f"The database at {address.host}:{address.port} does not answer.",
        why=said,
        remedy="Is it started, and is this its host and port? A first start can take a minute; tracking-server\n"
        "waits longer with --wait.",
        final=False,
    )


def _no_tables(address: DatabaseAddress) -> Trouble:
    return Trouble(
        what=f"'{address.user}' may not make tables in the database '{address.database}' at "
        f"{address.host}:{address.port}.",
        why="It has no right to CREATE in the schema public, which since PostgreSQL 15 is the database owner's alone.",
        remedy=f"Let it, as an administrator: ALTER DATABASE {address.database} OWNER TO {address.user};",
        final=True,
    )


def _by_hand(address: DatabaseAddress) -> str:
    if address.kind == "mysql":
        return f"mysql -h {address.host} -P {address.port} -u {address.user} -p {address.database}"
    return f"psql -h {address.host} -p {address.port} -U {address.user} -d {address.database}"


def _creation(address: DatabaseAddress) -> str:
    more = " CHARACTER SET utf8mb4" if address.kind == "mysql" else f" OWNER {address.user}"
    return f"CREATE DATABASE {address.database}{more};"


def _grant(address: DatabaseAddress) -> str:
    if address.kind == "mysql":
        return f"GRANT ALL ON {address.database}.* TO '{address.user}'@'%';"
    return f"GRANT ALL ON DATABASE {address.database} TO {address.user}; and a line for this host in pg_hba.conf"
