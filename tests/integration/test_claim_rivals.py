"""Several processes that claim one retraining at the same moment, on a real server: one gets it."""

from __future__ import annotations

import secrets
import subprocess
import sys
from pathlib import Path

from trilho import registry, wire
from unit.registry.registering import kinds, promote, register

CLAIMER = Path(__file__).parents[1] / "unit" / "registry" / "claimer.py"
RIVALS = 4


def race(server: str, name: str) -> int:
    """How many of several that saw the same history were told that the claim is theirs."""
    rivals = [
        subprocess.Popen(
            [sys.executable, str(CLAIMER), server, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(RIVALS)
    ]
    for rival in rivals:
        assert rival.stdout is not None
        assert rival.stdout.readline() == "ready\n"
    for rival in rivals:
        assert rival.stdin is not None
        rival.stdin.write("go\n")
        rival.stdin.flush()
    return sum(int(rival.communicate(timeout=600)[0]) for rival in rivals)


def test_of_rivals_at_one_moment_one_claims_and_one_takes_over(mlflow_server: str) -> None:
    name = f"fraud-{secrets.token_hex(4)}"
    with wire.connect(mlflow_server, seconds=120) as client:
        store = registry.open_store(client)
        register(store, name)
        promote(store, name, 1)
        assert race(mlflow_server, name) == 1
        [first] = registry.claims(store, name)
        assert race(mlflow_server, name) == 1
        _, second = registry.claims(store, name)
        assert (second.first, second.holders) == (first.number, 2)
        assert kinds(store, name).count("retraining") == 2 * RIVALS
        champion = registry.champion(store, name)
        assert champion is not None
        assert champion.number == 1
