"""Which artifact locations in a database lead past its server, where their files go in a backup, and put right after.

`mlflow-artifacts:/1/RUN/artifacts` means "under whatever the server keeps artifacts in", and survives any move. A path
of one machine, or a bucket by its name, does not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trilho.platform.backup.artifact_store import folder_of
from trilho.platform.backup.manifest import Move
from trilho.platform.backup.tables import connected
from trilho.platform.database_address import DatabaseAddress

if TYPE_CHECKING:
    from sqlalchemy import Connection

PROXIED = "mlflow-artifacts:/"

# Table → its key, its column with a location, and where files of a row belong under the server's artifacts.
_PLACES = (
    ("experiments", "experiment_id", "artifact_location", "{experiment_id}"),
    ("runs", "run_uuid", "artifact_uri", "{experiment_id}/{run_uuid}/artifacts"),
    ("logged_models", "model_id", "artifact_location", "{experiment_id}/models/{model_id}/artifacts"),
)
_TRACES = ("trace_tags", "request_id", "value", "{experiment_id}/traces/{request_id}/artifacts")
_READY = 2  # MLflow's LoggedModelStatus


@dataclass(frozen=True, kw_only=True)
class Outside:
    """Files that are not under the server's artifacts: where they are, and the folder they get in the backup."""

    address: str
    path: str
    home: str  # the location of its experiment, where it is below that; else ""


def moves_of(address: DatabaseAddress, destination: str) -> tuple[tuple[Move, ...], tuple[Outside, ...]]:
    """The locations that lead past the server whose artifacts are at `destination`, and the files to fetch for them."""
    moves, outside, homes = {}, [], {}
    with connected(address) as connection:
        for table, key, column, pattern in (*_PLACES, _TRACES):
            for row in _past_the_server(connection, table, (key, "experiment_id", column)):
                before = row[column]
                under = _under(before, destination)
                path = pattern.format(**row) if under is None else under
                moves[before] = Move(before=before, after=PROXIED + path)
                if table == "experiments":
                    homes[row["experiment_id"]] = before
                elif under is None:
                    home = homes.get(row["experiment_id"], "")
                    below = home and before.startswith(home.rstrip("/") + "/")
                    outside.append(Outside(address=before, path=path, home=home if below else ""))
    return tuple(moves.values()), tuple(outside)


def unowned(address: DatabaseAddress, destination: str, moves: Iterable[Move]) -> tuple[str, ...]:
    """Where versions of models have their files that no run, model or experiment owns: registered from a path."""
    known = {move.before: move.after for move in moves}
    found: dict[str, None] = {}
    with connected(address) as connection:
        for column in ("source", "storage_location"):
            for row in _past_the_server(connection, "model_versions", ("name", "version", column)):
                place = row[column]
                if (
                    urlsplit(place).scheme not in ("runs", "models")
                    and _moved(place, known) == place
                    and _under(place, destination) is None
                ):
                    found[place] = None
    return tuple(found)


def names_artifacts(address: DatabaseAddress, destination: str) -> bool:
    """Whether a run or a model keeps its artifacts in `destination`, by what the rows say; it may have none."""
    import sqlalchemy

    with connected(address) as connection:
        for table, key, column, _ in _PLACES[1:]:
            if not _has(connection, table, column):
                continue
            place: Any = sqlalchemy.column(column)
            behind = sqlalchemy.select(place).select_from(sqlalchemy.table(table)).where(place.like(f"{PROXIED}%"))
            if connection.execute(behind.limit(1)).first() is not None:
                return True
            past = _past_the_server(connection, table, (key, column))
            if any(_under(row[column], destination) is not None for row in past):
                return True
    return False


def models_of(address: DatabaseAddress, before: float) -> Iterator[tuple[str, str]]:
    """Id and proxied location of each model whose files should be there, made before that second."""
    import sqlalchemy

    with connected(address) as connection:
        if not sqlalchemy.inspect(connection).has_table("logged_models"):
            return
        found = connection.execute(
            sqlalchemy.text(
                "SELECT model_id, artifact_location FROM logged_models m WHERE status = :ready "
                "AND lifecycle_stage = 'active' AND creation_timestamp_ms < :until AND NOT EXISTS (SELECT 1 FROM "
                "logged_model_tags t WHERE t.model_id = m.model_id AND t.tag_key = 'mlflow.model.isExternal')"
            ),
            {"ready": _READY, "until": int(before * 1000)},
        )
        yield from ((row[0], row[1] or "") for row in found)


def rewrite(address: DatabaseAddress, moves: Mapping[str, str], *, alone: Collection[str] = ()) -> int:
    """Give each location that leads past the server its new one; how many were changed.

    Args:
        alone: Those of `moves` that take nothing with them that is below them and not in `moves` itself.
    """
    import sqlalchemy

    if not moves:
        return 0
    changed = 0
    with connected(address) as connection:
        places: list[tuple[str, tuple[str, ...], str]] = [(table, (key,), column) for table, key, column, _ in _PLACES]
        places += [("model_versions", ("name", "version"), column) for column in ("source", "storage_location")]
        places += [("trace_tags", ("request_id", "key"), "value")]
        for table, keys, column in places:
            found = sqlalchemy.table(table, *(sqlalchemy.column(name) for name in (*keys, column)))
            for row in list(_past_the_server(connection, table, (*keys, column))):
                after = _moved(row[column], moves, alone)
                if after != row[column]:
                    same = (found.c[key] == row[key] for key in keys)
                    connection.execute(found.update().where(*same).values({column: after}))
                    changed += 1
    return changed


# ----------------------------------------------------------------------------------------------------------------------


def _past_the_server(connection: Connection, table: str, names: tuple[str, ...]) -> Iterator[Mapping[str, str]]:
    import sqlalchemy

    if not _has(connection, table, names[-1]):
        return
    columns: list[Any] = [sqlalchemy.column(name) for name in dict.fromkeys(names)]
    last = columns[-1]
    query = sqlalchemy.select(*columns).where(last.not_like(f"{PROXIED}%") | last.like(f"{PROXIED}/%"), last != "")
    found: Any = sqlalchemy.table(table)
    if table == "trace_tags":
        query = query.where(sqlalchemy.column("key") == "mlflow.artifactLocation")
        if "experiment_id" in names:  # which only the trace itself has
            info = sqlalchemy.table("trace_info", sqlalchemy.column("request_id"))
            query = query.with_only_columns(
                *(info.c.request_id if column.name == "request_id" else column for column in columns)
            )
            tags = sqlalchemy.table(table, sqlalchemy.column("request_id"))
            found = info.join(tags, info.c.request_id == tags.c.request_id)
    query = query.select_from(found)
    yield from (dict(row) for row in connection.execute(query).mappings())


def _has(connection: Connection, table: str, column: str) -> bool:
    import sqlalchemy

    inspector = sqlalchemy.inspect(connection)
    return inspector.has_table(table) and column in {found["name"] for found in inspector.get_columns(table)}


def _under(location: str, destination: str) -> str | None:
    """The path of `location` under `destination`; None where it is not under it."""
    if location.startswith("mlflow-artifacts://"):  # the server's own, by one of its addresses
        return urlsplit(location).path.strip("/")
    here, there = folder_of(destination), folder_of(location)
    if here is not None and there is not None:
        here, there = here.resolve(), there.resolve()
        return there.relative_to(here).as_posix() if there != here and there.is_relative_to(here) else None
    root = destination.rstrip("/") + "/"
    return location.removeprefix(root).strip("/") if location.startswith(root) else None


def _moved(location: str, moves: Mapping[str, str], alone: Collection[str] = ()) -> str:
    """By the longest of the moved locations that it is, or is below."""
    head, tail = location.rstrip("/"), ""
    while head:
        for known in (head, f"{head}/"):
            if known in moves:
                if tail and known in alone:
                    return location
                return moves[known].rstrip("/") + tail
        head, slash, last = head.rpartition("/")
        tail = f"{slash}{last}{tail}"
    return location
