"""MLflow's own tables: made in an empty database, and known by their names."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from trilho.tracking.upgrading import table_names

_ARTIFACT_ROOT = "mlflow-artifacts:/"


def create_tables(uri: str) -> None:
    """Make the tables of the installed MLflow in the empty database at `uri`."""
    with quiet():
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        SqlAlchemyStore(uri, _ARTIFACT_ROOT).engine.dispose()


def tables_ever() -> frozenset[str]:
    """The names of all tables that MLflow makes or once made, its users' included."""
    with quiet():
        import mlflow

        found = {*table_names(), "alembic_version", "alembic_version_auth"}
    root = Path(mlflow.__file__).parent
    for folder in ("store/db_migrations/versions", "server/auth/db/migrations/versions"):
        for script in (root / folder).glob("*.py"):  # those that later migrations removed are named only here
            found.update(re.findall(r"create_table\(\s*[\"'](\w+)", script.read_text(encoding="utf-8")))
    return frozenset(found)


@contextmanager
def quiet() -> Iterator[None]:
    """A hundred lines about each migration, and warnings that nobody here can do anything about, are left out."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
