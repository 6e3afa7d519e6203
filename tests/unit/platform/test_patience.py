from __future__ import annotations

import pytest

from trilho.errors import ServiceFailed
from trilho.platform.patience import Trouble, wait_for


def trouble(final: bool) -> Trouble:
    return Trouble(what="It is not there.", why="connection refused", remedy="Start it.", final=final)


def test_passing_trouble_is_waited_out_and_said_once() -> None:
    answers = [trouble(final=False), trouble(final=False), None]
    said: list[str] = []
    wait_for("it", lambda: answers.pop(0), seconds=60, say=said.append)
    assert answers == []
    [line] = said
    assert line.startswith("Waiting for it, up to ")
    assert line.endswith("more: It is not there.")


def test_final_trouble_is_not_waited_for() -> None:
    with pytest.raises(ServiceFailed) as caught:
        wait_for("it", lambda: trouble(final=True), seconds=3600, say=print)
    assert str(caught.value) == "It is not there. Nothing was started.\nconnection refused\nStart it."


def test_the_deadline_is_said() -> None:
    with pytest.raises(ServiceFailed, match="After 0 s: connection refused"):
        wait_for("it", lambda: trouble(final=False), seconds=0.01, say=lambda _: None)
