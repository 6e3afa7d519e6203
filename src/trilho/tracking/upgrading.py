"""MLflow's own `db upgrade`: an older database gets the tables of the installed MLflow."""

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
