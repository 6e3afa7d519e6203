"""The tables of the installed MLflow: their names, and its own `db upgrade` for an older database."""

from __future__ import annotations


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
