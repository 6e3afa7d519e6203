from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from trilho.errors import ServerUnreachable
from trilho.tracking import Point, Series
from trilho.tracking import series as waiting_room
from trilho.wire import connect


@contextmanager
def nobody() -> Iterator[Any]:
    with connect("http://127.0.0.1:9", seconds=1) as client:
        yield client


def series(folder: Path) -> Series:
    return Series(experiment="e", name="monitor: m", waiting=folder / "later" / "m.jsonl")


def test_points_wait_in_order_while_nobody_answers(tmp_path: Path) -> None:
    kept = series(tmp_path)
    for moment in (1.5, 2.5):
        kept.add(Point(at=moment, values={"x": moment}))
        with nobody() as client, pytest.raises(ServerUnreachable):
            kept.send(client)
    assert kept.points() == [Point(at=1.5, values={"x": 1.5}), Point(at=2.5, values={"x": 2.5})]


def test_half_a_line_is_left_out(tmp_path: Path) -> None:
    kept = series(tmp_path)
    kept.add(Point(at=1.0, values={"x": 1.0}))
    with kept.waiting.open("a", encoding="utf-8") as file:
        file.write('{"at": 2.0, "val')
    assert [point.at for point in kept.points()] == [1.0]
    kept.add(Point(at=3.0, values={}))
    assert [point.at for point in kept.points()] == [1.0, 3.0]


def test_points_that_wait_forever_take_no_more_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_room, "_MOST_WAITING", 3)
    kept = series(tmp_path)
    for moment in range(5):
        kept.add(Point(at=float(moment), values={}))
    assert [point.at for point in kept.points()] == [2.0, 3.0, 4.0]
