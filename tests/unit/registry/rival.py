"""A process that promotes versions one after the other against rivals, for tests/integration/test_registry_rivals.py.

    python rival.py ADDRESS NAME NUMBERS [METHOD WHEN]

It starts when a line comes in, and writes a line of JSON for each promotion it was told it won. With METHOD and WHEN
("before" or "after") it kills itself, as kill -9 does, at its first such store call of its last promotion.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from typing import Any, cast

from trilho import registry, wire
from trilho.errors import PromotionContested
from trilho.registry import VersionStore


class Deadly:
    """The store, with one call that kills."""

    def __init__(self, store: VersionStore, method: str, when: str) -> None:
        self._store, self._method, self._when = store, method, when

    def __getattr__(self, method: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._store, method)
        return self._fatal(call) if method == self._method else call

    def _fatal(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def last(*args: Any, **named: Any) -> None:
            if self._when == "after":
                call(*args, **named)
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))

        return last


def deliver(safe: VersionStore, deadly: VersionStore, name: str, number: int) -> None:
    """As `trilho run` does: judge against the champion of the moment; who loses judges again."""
    for attempt in range(1000):
        champion = registry.champion(safe, name)
        before = champion.number if champion else None
        who = f"{os.getpid()}/{number}/{attempt}"
        try:
            event = registry.promote(deadly, name, number, before=before, who=who, why="better", stages=True)
        except PromotionContested:
            print(json.dumps({"lost": who}), flush=True)
            continue
        print(json.dumps({"won": vars(event)}), flush=True)
        return
    raise SystemExit("never won")


def main(address: str, name: str, numbers: str, method: str = "", when: str = "") -> None:
    store = registry.open_store(wire.connect(address))
    sys.stdin.readline()
    versions = [int(number) for number in numbers.split(",")]
    for number in versions:
        last = bool(method) and number == versions[-1]
        deliver(store, cast("VersionStore", Deadly(store, method, when)) if last else store, name, number)


if __name__ == "__main__":
    main(*sys.argv[1:])
