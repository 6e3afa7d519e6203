"""One model, all servers: which of them are up, and the windows of load in an order that turns.

All servers of a model are up at once and one of them is under load at a time; the rest sleep (their CPU is looked at,
and said if it is more than a tenth of a core). Neither servers nor load are pinned to cores.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from closed_loop import Load, closed_loop
from environments import NotInstalled
from models import ABOUT, Model
from open_loop import open_loop
from servers import SERVERS, NotStarted, Running

WARM_UP = 1.0
LATE = 0.05  # of the requests of an open loop sent more than 1 ms late by the load itself: that is said
LONGER = 3  # windows of servers that answer less than LONGER times per connection in one


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured of every server, in `rounds` of windows of `seconds`."""

    rows: Sequence[int]
    connections: Sequence[int]
    rates: Sequence[int]
    seconds: float
    rounds: int


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One server, one load: the medians over the rounds. `way` is "closed" (connections) or "open" (requests/s)."""

    model: str
    server: str
    rows: int
    way: str
    load: int
    rate: float
    p50: float
    p99: float
    failed: int
    lowest: float
    highest: float
    late: float = 0.0
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class Started:
    """`ready` in seconds, `memory` in MB: after the first answer, and after all the load."""

    model: str
    server: str
    ready: float
    memory_idle: float
    memory: float


@dataclass(kw_only=True)
class Measured:
    """Everything of one run."""

    cells: list[Cell] = field(default_factory=list)
    started: list[Started] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def measure(model: Model, names: Sequence[str], plan: Plan, into: Measured) -> None:
    """Start the servers, check that they answer alike, load them in turn, stop them."""
    print(f"\n{model.name}: {ABOUT[model.name]} ({'compiled' if model.compiled else 'native'})", flush=True)
    running: list[Running] = []
    idle: dict[str, float] = {}
    try:
        for name in names:
            if model.compiled or not SERVERS[name].compiled_only:
                _start(name, model, running, into)
        idle = {each.name: each.memory() for each in running}
        _say_who_is_busy(running)
        _closed(running, plan, into)
        _open(running, plan, into)
    finally:
        for each in running:
            if each.name in idle:
                facts = {"ready": each.ready, "memory_idle": idle[each.name], "memory": each.memory()}
                into.started.append(Started(model=model.name, server=each.name, **facts))
            each.stop()


# ----------------------------------------------------------------------------------------------------------------------


def _start(name: str, model: Model, running: list[Running], into: Measured) -> None:
    try:
        started = Running(name, model)
    except (NotInstalled, NotStarted) as error:
        print(f"  {name}: {error}", flush=True)
        into.failed[f"{name}, {model.name}"] = str(error)
        return
    running.append(started)
    if started.first != running[0].first or started.ask(100) != running[0].ask(100):
        running.remove(started)
        started.stop()
        into.failed[f"{name}, {model.name}"] = (
            f"It answers otherwise than {running[0].name}: there is nothing to compare."
        )
        print(f"  {name} answers otherwise than {running[0].name}: left out", flush=True)
        return
    print(f"  {name}: first answer after {started.ready:.2f} s, {started.memory():.0f} MB", flush=True)


def _say_who_is_busy(running: Sequence[Running]) -> None:
    before = [each.cpu() for each in running]
    time.sleep(2)
    for each, was in zip(running, before, strict=True):
        if each.cpu() - was > 0.2:
            print(f"  {each.name} uses {(each.cpu() - was) / 2:.0%} of a core while nobody asks it", flush=True)


def _closed(running: Sequence[Running], plan: Plan, into: Measured) -> None:
    windows: dict[tuple[str, int, int], list[Load]] = {}
    for rows in plan.rows:
        for each in running:
            closed_loop(each, rows=rows, connections=16, seconds=WARM_UP)
            each.settle()
        for turn in range(plan.rounds):
            for connections in plan.connections:
                for each in _turned(running, turn):
                    taken = windows.setdefault((each.name, rows, connections), [])
                    slow = bool(taken) and taken[0].rate * plan.seconds < LONGER * connections
                    seconds = plan.seconds * (1.5 if slow else 1)
                    taken.append(closed_loop(each, rows=rows, connections=connections, seconds=seconds))
                    each.settle()
    for (name, rows, connections), taken in windows.items():
        into.cells.append(_cell(running[0].model.name, name, rows, "closed", connections, taken))
        _say(into.cells[-1])


def _open(running: Sequence[Running], plan: Plan, into: Measured) -> None:
    """Only where the closed loop has shown that the server keeps up: else its queue grows as long as one looks."""
    model = running[0].model.name if running else ""
    most = {(cell.server, cell.rows): 0.0 for cell in into.cells if cell.model == model}
    for cell in into.cells:
        if cell.model == model and cell.way == "closed":
            most[cell.server, cell.rows] = max(most[cell.server, cell.rows], cell.rate)
    for rows in plan.rows:
        for rate in plan.rates:
            able = [each for each in running if most.get((each.name, rows), 0) > rate]
            taken: dict[str, list[Load]] = {each.name: [] for each in able}
            for turn in range(plan.rounds):
                for each in _turned(able, turn):
                    taken[each.name].append(open_loop(each, rows=rows, rate=rate, seconds=plan.seconds))
                    each.settle()
            for each in running:
                if each in able:
                    cell = _cell(model, each.name, rows, "open", rate, taken[each.name])
                else:
                    nothing = dict.fromkeys(("rate", "p50", "p99", "lowest", "highest"), float("nan"))
                    note = f"answers {most.get((each.name, rows), 0):.0f}/s at most"
                    where = {"model": model, "server": each.name, "rows": rows, "way": "open", "load": rate}
                    cell = Cell(**where, **nothing, failed=0, note=note)
                into.cells.append(cell)
                _say(cell)


def _turned(running: Sequence[Running], turn: int) -> list[Running]:
    """An order that turns, so that what else the machine does meets all."""
    place = turn % max(1, len(running))
    return [*running[place:], *running[:place]]


def _cell(model: str, server: str, rows: int, way: str, load: int, taken: Sequence[Load]) -> Cell:
    rates = [each.rate for each in taken]
    return Cell(
        model=model,
        server=server,
        rows=rows,
        way=way,
        load=load,
        rate=statistics.median(rates),
        p50=statistics.median(each.p50 for each in taken),
        p99=statistics.median(each.p99 for each in taken),
        failed=sum(each.failed for each in taken),
        lowest=min(rates),
        highest=max(rates),
        late=max(each.late for each in taken),
    )


def _say(cell: Cell) -> None:
    what = f"{cell.load} connections" if cell.way == "closed" else f"{cell.load}/s offered"
    said = cell.note or (
        f"{cell.rate:8.0f}/s ({cell.lowest:.0f}–{cell.highest:.0f})  p50 {cell.p50:8.2f} ms  p99 {cell.p99:8.2f} ms"
        + (f"  {cell.failed} FAILED" if cell.failed else "")
        + (f"  (the load itself was late for {cell.late:.0%})" if cell.late > LATE else "")
    )
    rows = f"{cell.rows} row{'' if cell.rows == 1 else 's'}"
    print(f"  {rows:>8}, {what:<15} {cell.server:<18} {said}", flush=True)
