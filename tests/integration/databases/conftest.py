"""The servers of a team, for every test in this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from team_databases import Database, mariadb, postgres
from team_server import TeamServer, serving
from team_store import Store, seaweed

__all__ = ["mariadb", "postgres", "seaweed"]


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests of one database in one process: it is started once, and not in each process for a few of them."""
    for item in items:
        chosen = getattr(item, "callspec", None)
        if chosen is not None and Path(__file__).parent in item.path.parents:
            for name in {"mariadb", "postgres"}.intersection(map(str, chosen.params.values())):
                item.add_marker(pytest.mark.xdist_group(name))


@pytest.fixture(scope="session", params=["mariadb", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """Each database server in turn."""
    found: Database = request.getfixturevalue(request.param)
    return found


@pytest.fixture(scope="session")
def team_server(database: Database, seaweed: Store) -> Iterator[TeamServer]:
    """A tracking server over it, artifacts in S3."""
    with serving(database.fresh(), "s3://mlflow/artifacts", **seaweed.environment) as server:
        yield server


@pytest.fixture(scope="session")
def mlflow_server(team_server: TeamServer) -> str:
    """Its address, in place of the one over SQLite that the same tests know elsewhere."""
    return team_server.address
