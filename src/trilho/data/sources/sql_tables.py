"""Tables and queries of any database that SQLAlchemy reaches. No password ever gets into a message."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd
import sqlalchemy
from sqlalchemy import exc

from trilho.data.problems import did_you_mean, listed
from trilho.data.source import SUPPORTED, Source
from trilho.data.sources.table import Table, row_numbers
from trilho.errors import MissingExtra, SourceUnreadable, TrilhoError, UnknownName


def read_sql(source: Source, root: Path, options: Mapping[str, Any]) -> Table:
    """The rows of a table, ordered by its primary key, or of a query.

    Args:
        source: A URL with #table (or #schema.table), or without and options.query. ${NAME} in it stands for an
            environment variable, so that no password needs to be in a file.
        root: Where the path of a relative SQLite database starts.
        options: query, columns.

    Raises:
        SourceUnreadable: no connection, no such table (near ones are named), a query that fails.
        MissingExtra: the driver is not installed.
        UnknownName: SQLAlchemy knows no such database.
    """
    address, table = _parts(source.address)
    query = options.get("query")
    if bool(table) == bool(query):
        raise SourceUnreadable(
            f"'{source.text}' names {'both a table and a query' if table else 'neither a table nor a query'}.",
            remedy='Add #table to data.source, or set data.options.query: "select …"; one of the two.',
        )
    url = _url(source, _filled(source, address), root)
    columns = [str(name) for name in options.get("columns") or ()]
    try:
        engine = _engine(source, url)
        try:
            with engine.connect() as connection:
                statement = (
                    sqlalchemy.text(str(query)) if query else _whole_table(source, connection, str(table), columns)
                )
                frame = pd.read_sql_query(statement, connection)
        finally:
            engine.dispose()
    except TrilhoError:
        raise
    except Exception as error:
        # The cause is not chained: a driver's message may hold the password.
        raise _refused(source, url, error) from None
    if query and columns:
        missing = [name for name in columns if name not in frame.columns]
        if missing:
            raise _no_column(source, missing, [str(name) for name in frame.columns])
        frame = frame[columns]
    return Table(frame=frame, where=row_numbers)


def _parts(address: str) -> tuple[str, str | None]:
    before, sign, after = address.rpartition("#")
    return (before, after) if sign and re.fullmatch(r"[^@/?]+", after) else (address, None)


def _filled(source: Source, address: str) -> str:
    """Put environment variables in, quoted for a URL."""
    missing = [name for name in re.findall(r"\$\{(\w+)\}", address) if name not in os.environ]
    if missing:
        raise SourceUnreadable(
            f"'{source.text}' needs the environment variable {listed(missing)}, which is not set.",
            remedy=f"export {missing[0]}=…",
        )
    return re.sub(r"\$\{(\w+)\}", lambda found: quote(os.environ[found[1]], safe=""), address)


def _url(source: Source, address: str, root: Path) -> sqlalchemy.URL:
    try:
        url = sqlalchemy.make_url(address)
    except (exc.ArgumentError, ValueError):
        raise SourceUnreadable(
            f"'{source.text}' is not a database URL.",
            remedy="Write it as dialect://user:${DB_PASSWORD}@host/database#table, or sqlite:///shop.db#table.",
        ) from None
    if url.get_backend_name() != "sqlite" or not url.database or url.database.startswith((":memory:", "file:")):
        return url
    path = root / url.database
    if not path.is_file():  # SQLite would make an empty one
        there = sorted(entry.name for entry in path.parent.iterdir()) if path.parent.is_dir() else []
        raise SourceUnreadable(
            f"'{source.text}': there is no database {path}.{did_you_mean(path.name, there)}",
            remedy="Correct data.source in trilho.yaml; relative paths start at the project folder.",
        )
    return url.set(database=str(path))


def _engine(source: Source, url: sqlalchemy.URL) -> sqlalchemy.Engine:
    try:
        return sqlalchemy.create_engine(url)
    except exc.NoSuchModuleError:
        raise UnknownName(
            f"'{source.text}': SQLAlchemy knows no database '{url.drivername}'.",
            why=SUPPORTED,
            remedy="Correct data.source, or install the package that brings this dialect.",
        ) from None
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"{error.name} is not installed; {url.drivername} databases are reached with it.",
            remedy=f"pip install {error.name}   (or name another driver: {url.get_backend_name()}+DRIVER://…)",
        ) from None


def _whole_table(
    source: Source, connection: sqlalchemy.Connection, table: str, columns: list[str]
) -> sqlalchemy.Select[Any]:
    schema, _, name = table.rpartition(".")
    inspector = sqlalchemy.inspect(connection)
    there = [*inspector.get_table_names(schema or None), *inspector.get_view_names(schema or None)]
    if name not in there:
        raise SourceUnreadable(
            f"'{source.text}': there is no table '{table}'.{did_you_mean(name, there)}",
            why=f"The database has: {listed(sorted(there)) or 'no tables'}.",
            remedy="Correct what follows # in data.source.",
        )
    found = sqlalchemy.Table(name, sqlalchemy.MetaData(), autoload_with=connection, schema=schema or None)
    missing = [column for column in columns if column not in found.columns]
    if missing:
        raise _no_column(source, missing, list(found.columns.keys()))
    chosen = [found.columns[column] for column in columns] or list(found.columns)
    # Without an order a database may give another one each time, and the order of the rows is content.
    return sqlalchemy.select(*chosen).order_by(*found.primary_key.columns)


def _no_column(source: Source, missing: list[str], there: list[str]) -> SourceUnreadable:
    return SourceUnreadable(
        f"'{source.text}' has no column {listed(missing)}.{did_you_mean(missing[0], there)}",
        why=f"It has: {listed(there)}.",
        remedy="Correct data.options.columns in trilho.yaml.",
    )


def _refused(source: Source, url: sqlalchemy.URL, error: Exception) -> SourceUnreadable:
    cause = getattr(error, "orig", None) or error
    why = str(cause).strip().splitlines()[0] if str(cause).strip() else type(cause).__name__
    said = [value for name, value in url.query.items() if re.search("(?i)pass|pwd|token|secret", name)]
    for secret in filter(None, [url.password, *(str(value) for value in said)]):
        why = why.replace(str(secret), "***").replace(quote(str(secret), safe=""), "***")
    return SourceUnreadable(
        f"'{source.text}' cannot be read: {why}",
        remedy="Check that the database runs and can be reached from here, the user's rights, and the query.",
    )
