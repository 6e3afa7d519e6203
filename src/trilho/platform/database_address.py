"""A database's address as people write it → as SQLAlchemy and MLflow need it, and as it may be shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from trilho.errors import ServiceFailed
from trilho.importer import load_module

Kind = Literal["sqlite", "mysql", "postgresql"]

# What people write → the driver that trilho's extras bring. With psycopg 3, parameters carry types, and PostgreSQL
# refuses some of MLflow's statements (a version's number compared with a text); MLflow is made with psycopg2.
_DRIVERS = {
    "mysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
    "postgresql": "postgresql+psycopg2",
    "postgresql+psycopg": "postgresql+psycopg2",
    "postgres": "postgresql+psycopg2",
}
_KINDS: tuple[Kind, ...] = ("sqlite", "mysql", "postgresql")
# Unless the address says otherwise. Without the first a request waits for a database that is gone as long as TCP does:
# minutes. Without the second a database of no encoding (SQL_ASCII: made where no locale is set) takes ASCII alone.
_POSTGRES_OPTIONS = {"connect_timeout": "10", "client_encoding": "utf8"}


@dataclass(frozen=True, kw_only=True)
class DatabaseAddress:
    """Where MLflow's rows are. `shown` holds no password; nothing else of it belongs into a message or a log."""

    kind: Kind
    uri: str = field(repr=False)
    shown: str
    host: str = ""
    port: int = 0
    user: str = ""
    database: str = ""
    password: str = field(default="", repr=False)
    file: Path | None = None  # of SQLite


def parse_database(uri: str) -> DatabaseAddress:
    """The database at `uri`: sqlite:///FILE, mysql://…, postgresql://…, with or without a driver's name.

    Raises:
        ServiceFailed: it is none of these, or has no database's name.
        MissingExtra: its driver is not installed.
    """
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    if uri.partition("://")[2].count("@") > 1:
        raise _not_understood("There is more than one @ in it. One that belongs to the password is written %40.")
    try:
        url = make_url(uri)
    except (ArgumentError, ValueError) as error:
        raise _not_understood("It is no address of the form KIND://USER:PASSWORD@HOST:PORT/DATABASE.") from error
    url = url.set(drivername=_DRIVERS.get(url.drivername, url.drivername))
    kind = next((known for known in _KINDS if known == url.get_backend_name()), None)
    if kind is None:
        raise _not_understood(f"MLflow knows no database called '{url.drivername}'.")
    if kind == "sqlite":
        if not url.database or url.database == ":memory:":
            raise _not_understood("SQLite needs a file, so that anything is kept.")
        return DatabaseAddress(kind=kind, uri=uri, shown=f"sqlite:///{url.database}", file=Path(url.database))
    host, database = url.host, url.database
    if not host or not database:
        raise _not_understood("It names no host or no database.")
    load_module(url.get_driver_name())
    if kind == "postgresql":
        url = url.set(query={**_POSTGRES_OPTIONS, **url.query})
    return DatabaseAddress(
        kind=kind,
        uri=url.render_as_string(hide_password=False),
        shown=f"{kind}://{url.username or ''}@{host}:{url.port or _port(kind)}/{database}",
        host=host,
        port=url.port or _port(kind),
        user=url.username or "",
        database=database,
        password=str(url.password or ""),
    )


def _port(kind: Kind) -> int:
    return 3306 if kind == "mysql" else 5432


def _not_understood(why: str) -> ServiceFailed:
    return ServiceFailed(  # the address itself is not shown: a mistake in it may have moved the password anywhere
        "The address of the database is not understood.",
        state="Nothing was started.",
        why=why,
        remedy="Set --backend-store-uri or MLFLOW_BACKEND_STORE_URI to one of\n"
        "  sqlite:///mlflow.db\n"
        "  mysql://USER:PASSWORD@HOST:3306/DATABASE\n"
        "  postgresql://USER:PASSWORD@HOST:5432/DATABASE\n"
        "A character such as @ : / % in the password is written as its code: "
        'python -c "from urllib.parse import quote; print(quote(input(), safe=str()))"',
    )
