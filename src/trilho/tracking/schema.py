"""MLflow's own tables in a database, made and brought up to date by its own migrations."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

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
