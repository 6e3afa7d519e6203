"""The parts that tests run against are real: what was written before a kill is there after it."""

from __future__ import annotations

import pytest

from team_databases import Database
from team_store import Store


@pytest.mark.parametrize("kind", ["mariadb", "postgres"])
def test_a_killed_database_comes_back_with_its_rows(kind: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue(kind)
    uri = database.fresh()
    database.ask("CREATE TABLE kept (number INTEGER)", uri)
    database.ask("INSERT INTO kept VALUES (7)", uri)
    database.kill()
    database.start()
    assert database.ask("SELECT number FROM kept", uri) == [(7,)]


def test_a_killed_store_comes_back_with_its_objects(seaweed: Store) -> None:
    seaweed.client().create_bucket(Bucket="kept")
    seaweed.client().put_object(Bucket="kept", Key="a/b", Body=b"x")
    seaweed.kill()
    seaweed.start()
    assert seaweed.keys("kept") == ["a/b"]
