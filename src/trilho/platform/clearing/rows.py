"""What only the database of a tracking server says: its API shows neither models that are marked as deleted, nor what
a login may not see.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from trilho.errors import BackupFailed
from trilho.platform.backup.tables import connected, revision_of
from trilho.platform.clearing.facts import LoggedModel
from trilho.platform.database import age
from trilho.platform.database_address import DatabaseAddress

_ID = re.compile(r"m-[0-9a-f]{32}|[0-9a-f]{32}")
_MODELS = "SELECT model_id, source_run_id, artifact_location, experiment_id, lifecycle_stage FROM logged_models"
_MEASURED = "SELECT DISTINCT model_id, run_id FROM logged_model_metrics"
# Not the events of a history: each names a version of its model and nothing else. Deleted versions stay as rows.
_VERSIONS = """
SELECT name, version, run_id, source, storage_location FROM model_versions
WHERE COALESCE(current_stage, '') <> 'Deleted_Internal'
AND NOT (name LIKE '%.history' AND COALESCE(run_id, '') = '' AND source LIKE 'models:/%'
         AND source NOT LIKE 'models:/m-%')
"""
_NAMING = f"{_VERSIONS} AND (run_id = :id OR source LIKE :like OR storage_location LIKE :like)"


@dataclass(frozen=True, kw_only=True)
class Rows:
    """All logged models; what each version names; which run logged metrics of which model."""

    models: tuple[LoggedModel, ...]
    named: Mapping[tuple[str, int], frozenset[str]]
    measured: frozenset[tuple[str, str]]


def read_rows(database: DatabaseAddress) -> Rows:
    """What the database says. It is not changed, and not created.

    Raises:
        BackupFailed: there is no such database, it does not answer, or its tables are not those of the MLflow here,
            which would migrate them or misread them.
    """
    import sqlalchemy

    if database.file is not None and not database.file.exists():
        raise _unusable(database, "There is no such file.")
    revision = revision_of(database)
    if not revision or age(revision) != "current":
        raise _unusable(
            database, f"Its schema is {revision or 'not that of MLflow'}, which is not the installed MLflow's."
        )
    with connected(database) as connection:
        models = connection.execute(sqlalchemy.text(_MODELS)).all()
        versions = connection.execute(sqlalchemy.text(_VERSIONS)).all()
        measured = connection.execute(sqlalchemy.text(_MEASURED)).all()
    return Rows(
        models=tuple(
            LoggedModel(
                model_id=model,
                run_id=run or "",
                artifacts=place or "",
                experiment_id=str(experiment),
                deleted=stage == "deleted",
            )
            for model, run, place, experiment, stage in models
        ),
        named={
            (name, int(number)): frozenset(_ID.findall(" ".join(filter(None, texts))))
            for name, number, *texts in versions
        },
        measured=frozenset((model, run) for model, run in measured),
    )


def in_use(database: DatabaseAddress, found: str) -> bool:
    """Whether a version names the run or model `found` at this moment, or a model that is there has metrics of it."""
    import sqlalchemy

    asked = {"id": found, "like": f"%{found}%"}
    with connected(database) as connection:  # a new one each time, so that no snapshot is older than the question
        if connection.execute(sqlalchemy.text(_NAMING), asked).first():
            return True
        metrics = "SELECT 1 FROM logged_model_metrics WHERE run_id = :id"
        return connection.execute(sqlalchemy.text(metrics), {"id": found}).first() is not None


def holds_anything(database: DatabaseAddress, experiment: str) -> bool:
    """Whether runs or models, whatever their state, are in an experiment: they would go with its row."""
    import sqlalchemy

    with connected(database) as connection:
        return any(
            connection.execute(
                sqlalchemy.text(f"SELECT 1 FROM {table} WHERE experiment_id = :id"), {"id": int(experiment)}
            ).first()
            for table in ("runs", "logged_models")
        )


# ----------------------------------------------------------------------------------------------------------------------


def _unusable(database: DatabaseAddress, why: str) -> BackupFailed:
    return BackupFailed(
        f"The database at {database.shown} cannot be used.",
        state="Nothing was changed.",
        why=why,
        remedy="Set MLFLOW_BACKEND_STORE_URI as for the server, and use the MLflow that the server runs.",
    )
