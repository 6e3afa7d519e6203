"""Is this database that server's? A restored copy of it looks the same: only what one writes and the other shows tells.

Deleting with the one what the other marks would take files away from runs that are in use.
"""

from __future__ import annotations

import secrets

from trilho.errors import BackupFailed
from trilho.platform.backup.tables import connected
from trilho.platform.database_address import DatabaseAddress
from trilho.wire import Client


def prove_same(client: Client, database: DatabaseAddress, experiment: str = "") -> None:
    """Nothing, if what the server writes appears in the database: a tag of an experiment, which is removed again.

    Args:
        experiment: Id of one that this login may write to; "" for any that is not deleted.

    Raises:
        BackupFailed: it does not, or there is no experiment to write it to.
        ServerUnreachable, ServerRefused: the server does not answer, or this login may not write.
    """
    experiment, key = experiment or _any_experiment(client), f"trilho.gc.{secrets.token_hex(8)}"
    client.post("experiments/set-experiment-tag", {"experiment_id": experiment, "key": key, "value": "gc"})
    try:
        there = _has_tag(database, key)
    finally:
        client.post("experiments/delete-experiment-tag", {"experiment_id": experiment, "key": key})
    if not there:
        raise BackupFailed(
            f"The database at {database.shown} is not that of the server at {client.address.shown}.",
            state="Nothing was changed.",
            why="A tag that the server wrote just now is not in it: it is another server's, or a copy.",
            remedy="Set MLFLOW_TRACKING_URI and MLFLOW_BACKEND_STORE_URI to one server and its own database.",
        )


# ----------------------------------------------------------------------------------------------------------------------


def _any_experiment(client: Client) -> str:
    for found in client.post("experiments/search", {"view_type": "ACTIVE_ONLY", "max_results": 1}).get(
        "experiments", ()
    ):
        return str(found["experiment_id"])
    raise BackupFailed(
        "Whether this database is that server's cannot be found out.",
        state="Nothing was changed.",
        why="It is found out by a tag of an experiment, and all experiments are deleted.",
        remedy="Make one, on MLflow's page, and run the command again.",
    )


def _has_tag(database: DatabaseAddress, key: str) -> bool:
    import sqlalchemy

    name: sqlalchemy.ColumnClause[str] = sqlalchemy.column("key")  # a word of SQL: it comes quoted
    with connected(database) as connection:
        asked = sqlalchemy.select(name).select_from(sqlalchemy.table("experiment_tags")).where(name == key)
        return connection.execute(asked).first() is not None
