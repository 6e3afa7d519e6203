"""A process that claims a retraining when it is told to go: `python claimer.py ADDRESS MODEL`. Prints 1 or 0."""

from __future__ import annotations

import sys

from trilho import registry, wire

if __name__ == "__main__":
    _, address, name = sys.argv
    with wire.connect(address, seconds=120) as client:
        store = registry.open_store(client)
        last = registry.last_claim(store, name)
        print("ready", flush=True)
        sys.stdin.readline()
        held = registry.claim(store, name, after=last, champion=1, why="drift", resume=last is not None)
        print(int(held is not None), flush=True)
