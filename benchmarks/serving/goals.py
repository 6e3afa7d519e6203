"""What was to be reached, and what was: requests answered per second, trilho's over the peer's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from measuring import Cell

OURS = "trilho"


@dataclass(frozen=True, kw_only=True)
class Goal:
    """`ratio` is to be at least `goal`."""

    name: str
    ratio: float
    goal: float
    ours: float
    theirs: float
    peer: str
    unit: str = "requests/s"

    @property
    def reached(self) -> bool:
        return self.ratio >= self.goal

    def plain(self) -> dict[str, Any]:
        return {**asdict(self), "at_least": True, "reached": self.reached}


def goals(cells: Sequence[Cell], compiled: Sequence[str]) -> list[Goal]:
    """All of them, where both sides were measured.

    - Compiled models: 0.8 of the raw loop, and 100 times `mlflow models serve` as shipped; at every number of
      connections, for one row and for a hundred.
    - Native models: 5 times FastAPI by hand at 64 connections, and not slower at one.
    """
    closed = [cell for cell in cells if cell.way == "closed"]
    rates = {(cell.model, cell.server, cell.rows, cell.load): cell.rate for cell in closed}
    found = []
    for model, server, rows, load in rates:
        if server != OURS:
            continue
        for peer, goal in _wanted(model in compiled, load):
            theirs = rates.get((model, peer, rows, load))
            if theirs:
                ours = rates[model, server, rows, load]
                where = f"serving.{model}.{rows}.{load}.{peer.replace(' ', '_')}"
                found.append(Goal(name=where, ratio=ours / theirs, goal=goal, ours=ours, theirs=theirs, peer=peer))
    return found


def table(found: Sequence[Goal]) -> str:
    """For people."""
    lines = [f"{'model.rows.connections.peer':<36} {'trilho':>9} {'peer':>9} {'ratio':>8} {'goal':>6}"]
    for goal in found:
        name = goal.name.removeprefix("serving.")
        figures = f"{goal.ours:>9.0f} {goal.theirs:>9.0f} {goal.ratio:>8.2f} {goal.goal:>6g}"
        lines.append(f"{name:<36} {figures}  {'reached' if goal.reached else 'MISSED'}")
    return "\n".join(lines)


# ----------------------------------------------------------------------------------------------------------------------


def _wanted(compiled: bool, connections: int) -> list[tuple[str, float]]:
    if compiled:
        return [("raw loop", 0.8), ("mlflow", 100.0)]
    return [("FastAPI", {64: 5.0, 1: 1.0}[connections])] if connections in (1, 64) else []
