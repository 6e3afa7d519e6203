"""Two commands against each other: in turn, whole processes, medians; and the form every result is printed in."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Taken:
    """Seconds of one process from its start to its end.

    Args:
        wall: By the clock.
        cpu: Used by it and the processes it waited for; nan where the system does not say (Windows).
    """

    wall: float
    cpu: float


def take(command: Sequence[str | Path], *, folder: Path, env: Mapping[str, str] | None = None) -> Taken:
    """Run `command` in `folder`. Raises RuntimeError with its output if it fails."""
    with tempfile.TemporaryFile() as log:
        before, begun = _cpu_of_children(), time.perf_counter()
        done = subprocess.run(
            [str(word) for word in command],
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            check=False,
        )
        taken = Taken(wall=time.perf_counter() - begun, cpu=_cpu_of_children() - before)
        if done.returncode:
            log.seek(0)
            said = log.read().decode(errors="replace")[-3000:]
            raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}:\n{said}")
    return taken


def in_turn(rounds: int, *sides: Callable[[], Taken]) -> list[list[Taken]]:
    """Every side in every round, in an order that turns, so that what the machine does meanwhile meets all of them."""
    taken: list[list[Taken]] = [[] for _ in sides]
    for turn in range(rounds):
        for place in range(len(sides)):
            side = (place + turn) % len(sides)
            taken[side].append(sides[side]())
    return taken


def report(name: str, ours: Sequence[Taken], theirs: Sequence[Taken], *, peer: str, goal: float | None) -> None:
    """A line to read and a line of JSON. `ratio` is of the medians by the clock."""
    our, their = (statistics.median(taken.wall for taken in side) for side in (ours, theirs))
    our_cpu, their_cpu = (statistics.median(taken.cpu for taken in side) for side in (ours, theirs))
    aim = f" (goal {goal})" if goal is not None else ""
    print(
        f"{name:<28} trilho {our:6.2f} s {_range(ours)}  {peer} {their:6.2f} s {_range(theirs)}  "
        f"ratio {our / their:.3f}{aim}; CPU {our_cpu:.2f} s against {their_cpu:.2f} s"
    )
    result = {
        "name": name,
        "ratio": round(our / their, 4),
        "goal": goal,
        "ours": round(our, 3),
        "theirs": round(their, 3),
        "unit": "s",
        "peer": peer,
        "rounds": len(ours),
        "ours_cpu": round(our_cpu, 3),
        "theirs_cpu": round(their_cpu, 3),
    }
    print(json.dumps(result, ensure_ascii=False), flush=True)


def _range(taken: Sequence[Taken]) -> str:
    return f"({min(one.wall for one in taken):.2f}–{max(one.wall for one in taken):.2f})"


def _cpu_of_children() -> float:
    try:
        import resource
    except ImportError:
        return float("nan")
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
