from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from trilho.scoring.ahead import in_order


def test_results_come_in_the_order_of_the_items_whoever_is_done_first() -> None:
    later = threading.Event()

    def make(item: int) -> int:
        if item == 0:
            assert later.wait(60)
        else:
            later.set()
        return item * 10

    assert list(in_order(make, range(5), threads=2)) == [0, 10, 20, 30, 40]


def test_no_more_items_are_taken_than_are_worked_on() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    works = in_order(lambda item: item, items(), threads=2)
    assert [next(works) for _ in range(10)] == list(range(10))
    assert len(taken) <= 10 + 3
    works.close()
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("ThreadPoolExecutor")]


def test_an_error_comes_at_its_place_and_ends_the_work() -> None:
    seen: list[int] = []

    def make(item: int) -> int:
        if item == 3:
            raise ValueError("three")
        return item

    with pytest.raises(ValueError, match="three"):
        seen.extend(in_order(make, range(100), threads=1))
    assert seen == [0, 1, 2]
