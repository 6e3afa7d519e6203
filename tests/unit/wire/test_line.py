"""A line to a server that one can do without."""

from __future__ import annotations

import socket

import pytest

from trilho.errors import ServiceFailed, VersionNotFound
from trilho.wire import Client, Line

SEARCH = {"max_results": 1}


def experiments(client: Client) -> int:
    return len(client.get("experiments/search", SEARCH)["experiments"])


def nobody() -> str:
    """An address where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


def test_the_server_is_looked_for_at_the_first_question_and_only_once(mlflow_server: str) -> None:
    looked: list[str] = []

    def find() -> str:
        looked.append(mlflow_server)
        return mlflow_server

    with Line(find, seconds=30, say=looked.append) as line:
        assert looked == []
        assert line.ask(experiments) == line.ask(experiments) == 1
    assert looked == [mlflow_server]
    assert line.trouble == ""


def test_a_silent_server_is_told_once_and_not_asked_again() -> None:
    told: list[str] = []
    asked: list[Client] = []
    address = nobody()

    def question(client: Client) -> int:
        asked.append(client)
        return experiments(client)

    with Line(lambda: address, seconds=3, say=told.append) as line:
        assert line.ask(question) is None
        assert line.ask(question) is None
    assert len(asked) == len(told) == 1
    assert "does not answer" in line.trouble
    assert "trilho sync" in told[0]


def test_a_server_that_refuses_is_given_up_as_well_and_its_own_words_are_told(mlflow_server: str) -> None:
    told: list[str] = []

    def refused(client: Client) -> None:
        client.get("experiments/get-by-name", {"experiment_name": "nobody made this"})

    with Line(lambda: mlflow_server, seconds=30, say=told.append) as line:
        assert line.ask(refused) is None
    assert "refused GET" in line.trouble
    assert all("'nobody made this'" in text for text in (line.trouble, *told))


def test_a_server_that_does_not_start_is_told_with_the_way_out() -> None:
    told: list[str] = []

    def find() -> str:
        raise ServiceFailed("tracking did not start.", why="Its database is damaged.", remedy="Put back a copy.")

    with Line(find, seconds=3, say=told.append) as line:
        assert line.ask(experiments) is None
    assert line.trouble == "tracking did not start."
    assert "Its database is damaged.\nPut back a copy." in told[0]


def test_an_answer_that_is_an_error_of_its_own_goes_through(mlflow_server: str) -> None:
    def missing(client: Client) -> None:
        raise VersionNotFound("shop v9 does not exist.", remedy="trilho history")

    with Line(lambda: mlflow_server, seconds=30, say=lambda _: None) as line:
        with pytest.raises(VersionNotFound):
            line.ask(missing)
        assert line.trouble == ""
        assert line.ask(experiments) == 1
