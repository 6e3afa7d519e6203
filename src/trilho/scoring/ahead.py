"""Work on several items at once, with results in the items' order and few of them in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def in_order(make: Callable[[_Item], _Made], items: Iterable[_Item], *, threads: int) -> Generator[_Made, None, None]:
    """`make` of each item, as `map` gives them; at most `threads + 1` are in the works or wait to be taken.

    The iterator must be closed when it is not read to its end, so that no thread is left.
    """
    rest = iter(items)
    with ThreadPoolExecutor(threads) as pool:
        works: deque[Future[_Made]] = deque(pool.submit(make, item) for item in islice(rest, threads + 1))
        try:
            while works:
                made = works.popleft().result()
                works.extend(pool.submit(make, item) for item in islice(rest, 1))
                yield made
        finally:
            for future in works:
                future.cancel()
