"""MLflow's own tables: made in an empty database, migrated by MLflow's own code, and known by their names."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_ARTIFACT_ROOT = "mlflow-artifacts:/"


def create_tables(uri: str) -> None:
    """Make the tables of the installed MLflow in the empty database at `uri`."""
    with quiet():
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        SqlAlchemyStore(uri, _ARTIFACT_ROOT).engine.dispose()


def upgrade_tables(database: str) -> None:
    """Migrate the database at the address `database`; its servers should be stopped, and a copy made.

    This is what `mlflow db upgrade` calls; that command would show an address with a password to all of the machine.

    Raises:
        Exception: whatever MLflow, Alembic or the database raise; a part of the migration may be done.
    """
    import sqlalchemy
    from mlflow.store.db import utils

    engine = sqlalchemy.create_engine(database)
    try:
        utils._upgrade_db(engine)
    finally:
        engine.dispose()


def table_names() -> frozenset[str]:
    """The tables of runs, models and versions; users' are kept apart."""
    from mlflow.store.db.base_sql_model import Base
    from mlflow.store.model_registry.dbmodels import models  # noqa: F401 - imported for its tables
    from mlflow.store.tracking.dbmodels import models as _  # noqa: F401

    return frozenset(Base.metadata.tables)


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
