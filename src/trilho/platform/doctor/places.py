"""Whose files are at a path, by the database of a server: runs, models, traces, and versions that are none of these."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from trilho.platform.backup.locations import PROXIED
from trilho.platform.backup.tables import connected
from trilho.platform.database_address import DatabaseAddress
from trilho.platform.doctor.local_path import local_path

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TRACE = "mlflow.artifactLocation"  # the tag that says where a trace's files are
_SPANS, _IN_DATABASE = "mlflow.trace.spansLocation", "TRACKING_STORE"

_OWNERS: tuple[tuple[Literal["run", "model"], str, str], ...] = (
    ("run", "runs", "artifact_uri"),
    ("model", "logged_models", "artifact_location"),
)


@dataclass(frozen=True, kw_only=True)
class Place:
    """A location that is a path, and the one that its files would get."""

    kind: Literal["run", "model", "trace", "version"]
    experiment: str
    before: str  # "file:///mlruns/artifacts/1/RUN/artifacts"
    after: str  # "mlflow-artifacts:/1/RUN/artifacts"
    in_database: bool = False  # a trace whose spans are rows: no file is missing where it has none

    @property
    def path(self) -> str:
        """Where its files go, under what the server keeps artifacts in."""
        return self.after.removeprefix(PROXIED)


def places_of(address: DatabaseAddress, moves: Mapping[str, str]) -> tuple[Place, ...]:
    """Every location at a path, once; of experiments none, which have no files of their own.

    Args:
        moves: Location of an experiment, run or model → the one that it would get.
    """
    with connected(address) as connection:
        found = {place.before: place for place in (*_owned(connection, moves), *_traces(connection))}
        found |= {place.before: place for place in _versions(connection, moves, found)}
    return tuple(found.values())


# ---------------------------------------------------------------------------------------------------------------------


def _owned(connection: Connection, moves: Mapping[str, str]) -> Iterator[Place]:
    for kind, table, column in _OWNERS:
        for experiment, location in _rows(connection, table, f"SELECT experiment_id, {column} FROM {table}"):
            if location in moves:
                yield Place(kind=kind, experiment=str(experiment), before=location, after=moves[location])


def _traces(connection: Connection) -> Iterator[Place]:
    query = (
        "SELECT i.experiment_id, i.request_id, t.value, s.value FROM trace_info i "
        f"JOIN trace_tags t ON t.request_id = i.request_id AND t.key = '{_TRACE}' "
        f"LEFT JOIN trace_tags s ON s.request_id = i.request_id AND s.key = '{_SPANS}'"
    )
    attached = "SELECT DISTINCT trace_id FROM spans WHERE content LIKE '%mlflow-attachment:%'"
    with_files = {row[0] for row in _rows(connection, "spans", attached)}
    for experiment, trace, location, spans in _rows(connection, "trace_info", query):
        if local_path(str(location)) is not None:
            yield Place(
                kind="trace",
                experiment=str(experiment),
                before=str(location),
                after=f"{PROXIED}{experiment}/traces/{trace}/artifacts",
                in_database=spans == _IN_DATABASE and trace not in with_files,
            )


def _versions(connection: Connection, moves: Mapping[str, str], known: Mapping[str, Place]) -> Iterator[Place]:
    """Versions whose files are in an experiment's folder, and in that of no run or model: made from files by hand."""
    rows = _rows(connection, "experiments", "SELECT experiment_id, artifact_location FROM experiments")
    experiments = {
        location.rstrip("/"): (str(number), moves[location]) for number, location in rows if location in moves
    }
    for column in ("source", "storage_location"):
        for (location,) in _rows(connection, "model_versions", f"SELECT DISTINCT {column} FROM model_versions"):
            above = list(_above(location or ""))
            if any(place in known or f"{place}/" in known for place in above):
                continue
            for place in above:
                if place in experiments:
                    number, after = experiments[place]
                    after = after.rstrip("/") + location.rstrip("/").removeprefix(place)
                    yield Place(kind="version", experiment=number, before=location, after=after)
                    break


def _above(location: str) -> Iterator[str]:
    """The location, and each that it is in, without a slash at the end."""
    location = location.rstrip("/")
    while location:
        yield location
        location = location.rpartition("/")[0].rstrip("/")


def _rows(connection: Connection, table: str, query: str) -> list[tuple[Any, ...]]:
    """The rows of a query; none where an older MLflow made no such table, or column."""
    import sqlalchemy

    if not sqlalchemy.inspect(connection).has_table(table):
        return []
    if "storage_location" in query and "storage_location" not in {
        column["name"] for column in sqlalchemy.inspect(connection).get_columns(table)
    }:
        return []
    return [tuple(row) for row in connection.execute(sqlalchemy.text(query))]
