"""MLflow's own tables in a database, made and brought up to date by its own migrations."""

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
    with _quiet():
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        SqlAlchemyStore(uri, _ARTIFACT_ROOT).engine.dispose()


def upgrade_tables(uri: str) -> None:
    """Bring the tables in the database at `uri` up to the installed MLflow. Copy it before."""
    with _quiet():
        from mlflow.db import upgrade

        upgrade.main(args=[uri], standalone_mode=False)


def table_names() -> frozenset[str]:
    """The names of all tables that MLflow makes or once made, its users' included."""
    with _quiet():
        import mlflow
        from mlflow.store.model_registry.dbmodels import models as registry
        from mlflow.store.tracking.dbmodels import models as tracking

    found = {"alembic_version", "alembic_version_auth"}
    found |= {*registry.Base.metadata.tables, *tracking.Base.metadata.tables}
    root = Path(mlflow.__file__).parent
    for folder in ("store/db_migrations/versions", "server/auth/db/migrations/versions"):
        for script in (root / folder).glob("*.py"):  # those that later migrations removed are named only here
            found.update(re.findall(r"create_table\(\s*[\"'](\w+)", script.read_text(encoding="utf-8")))
    return frozenset(found)


# ----------------------------------------------------------------------------------------------------------------------


@contextmanager
def _quiet() -> Iterator[None]:
    """A hundred lines about each migration, and warnings that nobody here can do anything about, are left out."""
    before = logging.root.manager.disable
    logging.disable(logging.INFO)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
