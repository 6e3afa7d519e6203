"""Does the tracking database fit the installed MLflow? Looked at before its server starts, without importing MLflow."""

from __future__ import annotations

import importlib.util
import os
import re
import shlex
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from trilho.errors import ServiceFailed

if TYPE_CHECKING:
    from sqlalchemy import Connection

_COPY, _MOVE = ("copy", "move") if os.name == "nt" else ("cp", "mv")


def check_database(path: Path) -> None:
    """Nothing, if MLflow's server can open the SQLite file `path`, or will create it.

    MLflow itself migrates some older databases without asking, and refuses others. Both are a person's decision here,
    with a copy made first.

    Raises:
        ServiceFailed: it is damaged, or was written by an older or a newer MLflow.
    """
    revision = _revision(path)
    if revision is None:
        return
    found = age(revision)
    if found == "newer":
        raise ServiceFailed(
            f"The tracking database was written by a newer MLflow than {_mlflow_version()}, which is installed.",
            state="It was not touched.",
            why=f"{path} has schema {revision}, unknown to this MLflow.",
            remedy="Install the newer MLflow: pip install --upgrade mlflow\n"
            f"Or put back the copy made before it was migrated: {path}.bak",
        )
    if found == "older":
        raise ServiceFailed(
            f"The tracking database was written by an older MLflow than {_mlflow_version()}, which is installed.",
            state="It was not touched.",
            why=f"{path} has schema {revision}, which this MLflow has to migrate first.",
            remedy=f"Copy it, then migrate it:\n  {_go_to(path.parent)}\n  {_COPY} {path.name} {path.name}.bak\n"
            f"  mlflow db upgrade sqlite:///{path.name}",
        )


def _revision(path: Path) -> str | None:
    """The schema that the database says it has; None for one that is still to be created."""
    if not path.exists():
        return None
    try:
        # Opened for writing: closing then folds a write-ahead log that a kill left behind into the file itself.
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=20)) as database:
            row = database.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError:  # no such table, locked, not writable: its server will say more
        return None
    except sqlite3.DatabaseError as error:
        raise ServiceFailed(
            "The tracking database is damaged.",
            state="It was not touched.",
            why=f"{path}: {error}",
            remedy=f"Put back a copy of it, if there is one: {path}.bak\n"
            f"Or begin anew, keeping it aside:\n  {_go_to(path.parent)}\n  {_MOVE} {path.name} {path.name}.damaged",
        ) from error
    return str(row[0]) if row else None


def age(revision: str) -> Literal["current", "older", "newer"]:
    """How a schema compares with what the installed MLflow wants."""
    known = known_revisions()
    if not known:
        return "current"
    if revision not in known:
        return "newer"
    return "older" if revision in known.values() else "current"


def revision_in(connection: Connection) -> str:
    """The schema that MLflow's tables in any database say they have; "" where there are none."""
    import sqlalchemy

    if not sqlalchemy.inspect(connection).has_table("alembic_version"):
        return ""
    return str(connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).scalar() or "")


def known_revisions() -> dict[str, str | None]:
    """Each schema that the installed MLflow knows → the one it follows, read from the names and texts of its scripts.

    Empty where MLflow keeps them elsewhere; its server then judges alone.
    """
    spec = importlib.util.find_spec("mlflow")
    if spec is None or not spec.submodule_search_locations:
        return {}
    found: dict[str, str | None] = {}
    for script in Path(spec.submodule_search_locations[0], "store", "db_migrations", "versions").glob("*.py"):
        text = script.read_text(encoding="utf-8")
        own = re.search(r"^revision\s*=\s*[\"'](\w+)", text, re.MULTILINE)
        parent = re.search(r"^down_revision\s*=\s*[\"'](\w+)", text, re.MULTILINE)
        if own:
            found[own[1]] = parent[1] if parent else None
    return found


def _go_to(folder: Path) -> str:
    """The shell's line. Names after it are relative: a "?" in a path would mean something to SQLAlchemy."""
    return f'cd "{folder}"' if os.name == "nt" else f"cd {shlex.quote(str(folder))}"


def _mlflow_version() -> str:
    from importlib.metadata import version

    return version("mlflow")
