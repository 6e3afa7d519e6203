"""Writers of SQLite go in the order in which they came."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy
from sqlalchemy import Engine, text

from trilho.platform.sqlite_turns import Turns, write_in_turn


def test_the_turn_goes_to_who_has_waited_longest() -> None:
    turns, came = Turns(), []
    assert turns.take()
    threads = []
    for number in range(5):

        def wait(number: int = number) -> None:
            assert turns.take()
            came.append(number)
            turns.give()

        thread = threading.Thread(target=wait)
        thread.start()
        while turns.waiting <= number:  # it stands in the line
            pass
        threads.append(thread)
    turns.give()
    for thread in threads:
        thread.join()
    assert came == [0, 1, 2, 3, 4]
    assert turns.take(0)  # nobody has it any more


def test_who_waited_too_long_leaves_the_line_and_takes_nobodys_turn() -> None:
    turns = Turns()
    assert turns.take()
    assert not turns.take(0.01)
    assert turns.waiting == 0
    turns.give()
    assert turns.take(0)


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'mlflow.db'}")
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE points (client INTEGER, step INTEGER)"))
    yield engine
    engine.dispose()


def test_each_ending_of_a_transaction_gives_the_turn_on(engine: Engine) -> None:
    turns = Turns()
    with write_in_turn(turns):
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO points VALUES (1, 1)"))
            assert not turns.take(0)
            connection.execute(text("UPDATE points SET step = 2"))  # has it already
        assert turns.take(0)
        turns.give()
        with engine.connect() as connection:
            connection.execute(text("DELETE FROM points"))
            assert not turns.take(0)
            connection.rollback()
            assert turns.take(0)
            turns.give()
            assert connection.execute(text("SELECT count(*) FROM points")).scalar() == 1
            assert turns.take(0)  # reading takes none
            turns.give()
        broken = engine.connect()
        broken.execute(text("DELETE FROM points"))
        broken.invalidate()
        broken.close()
        assert turns.take(0)


def test_writers_at_once_lose_nothing_and_hold_nobody_up_for_good(engine: Engine) -> None:
    def write(client: int) -> None:
        for step in range(50):
            with engine.begin() as connection:
                connection.execute(text("INSERT INTO points VALUES (:c, :s)"), {"c": client, "s": step})

    with write_in_turn():
        threads = [threading.Thread(target=write, args=(client,)) for client in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM points")).scalar() == 8 * 50
