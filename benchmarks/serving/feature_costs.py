"""What do validation, metrics, journal and keys cost, each apart?

    python benchmarks/serving/feature_costs.py [--quick]

In this process, without HTTP: the application is called as uvicorn calls it, thousands of times per round, and the CPU
time of the whole process (the journal's thread included) is divided by the requests. Features join one after the
other, rounds alternate, medians are differenced: the resolution is about a tenth of a microsecond on a quiet machine.
Off means:

- validation: bodies are decoded without types, names of columns are not compared, values not looked at
- metrics: nothing is counted or timed
- journal, keys: as without them

The first line is the function of the raw loop (peers/raw_loop.py), called in the same way.
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import numpy as np
import uvloop
from models import Model, made
from servers import HEADERS, KEY, PEERS

from trilho import bundle
from trilho.journal import Journal
from trilho.serving.app import App
from trilho.serving.asking import Desk
from trilho.serving.assembly import assembled
from trilho.serving.counting import Counts, Histogram, Tally
from trilho.serving.keys import Keys
from trilho.serving.slot import Served, Slot

CASES = (("forest", 1), ("forest", 100), ("lightgbm", 1), ("lightgbm", 100))
FEATURES = ("validation", "metrics", "journal", "keys")
Asgi = Callable[..., Awaitable[None]]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    rounds = 3 if asked.quick else 15
    for name, rows in CASES:
        requests = (500 if asked.quick else 4_000) // (1 if rows == 1 else 10)
        report(f"{name}, {rows} row{'s' if rows > 1 else ''}", measure(made(name), rows, requests, rounds))
    return 0


def measure(model: Model, rows: int, requests: int, rounds: int) -> list[list[float]]:
    """Microseconds of CPU a request: of the raw loop, of everything off, then with each feature joined. (6, rounds)."""
    body = model.body(rows).read_bytes()
    raw = raw_loop(model)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        journals = [Journal(Path(folder) / str(number)) for number in range(2)]
        for journal in journals:
            stack.callback(journal.close)
        sides: list[tuple[Asgi, Sequence[str]]] = [(raw, FEATURES)]
        for number in range(len(FEATURES) + 1):
            on = FEATURES[:number]
            journal = journals[number - 3] if "journal" in on else None
            sides.append((application(model, journal, keys="keys" in on), on))
        taken: list[list[float]] = [[] for _ in sides]
        for turn in range(rounds + 1):
            for place in range(len(sides)):
                side = (place + turn) % len(sides)
                with switched_off([each for each in FEATURES if each not in sides[side][1]], sides[side][0]):
                    used = microseconds(sides[side][0], body, requests)
                if turn:  # the first round warms up
                    taken[side].append(used)
    return taken


def raw_loop(model: Model) -> Asgi:
    """The raw loop's function for this model; its module takes the model from the command line."""
    with (
        patch.object(sys, "argv", ["raw_loop.py", "0", str(model.folder / "peer")]),
        patch.object(sys, "path", [str(PEERS), *sys.path]),
    ):
        sys.modules.pop("raw_loop", None)
        app: Asgi = importlib.import_module("raw_loop").app
    return app


def application(model: Model, journal: Journal | None, *, keys: bool) -> Asgi:
    served = Served(predictor=bundle.open(model.bundle), name=model.name, version="1", since=time.time())
    desk = Desk(Slot(served), Counts(), journal)
    return assembled(desk, keys=Keys([KEY]) if keys else None)


@contextmanager
def switched_off(features: Sequence[str], app: Any) -> Iterator[None]:
    """The product has no such switches: parts of it are replaced by parts that do nothing."""
    with ExitStack() as stack:
        if "metrics" in features:
            for home, name in ((App, "_count"), (Histogram, "observe"), (Tally, "add")):
                stack.enter_context(patch.object(home, name, lambda *_: None))
        if "validation" in features:
            served = app.desk.slot.served
            before = served.express
            object.__setattr__(served, "express", Trusting(served.predictor))
            stack.callback(object.__setattr__, served, "express", before)
            trusting = served.predictor._compiled.answer_matrix
            stack.enter_context(patch.object(served.predictor, "predict_coded", trusting))
        yield


class Trusting:
    """Reads bodies as if all were right."""

    class Split(msgspec.Struct):
        data: list[list[Any]]

    class Body(msgspec.Struct):
        dataframe_split: Any

    def __init__(self, predictor: bundle.Predictor) -> None:
        body = msgspec.defstruct("Body", [("dataframe_split", Trusting.Split)])
        self._decode = msgspec.json.Decoder(body).decode
        fields = predictor.schema.fields
        self._words = [place for place, each in enumerate(fields) if each.kind == "category"]
        self._codes = predictor.codes

    def read(self, body: bytes) -> tuple[np.ndarray, Any]:
        rows = self._decode(body).dataframe_split.data
        for row in rows if self._words else ():
            for place in self._words:
                row[place] = self._codes.get(row[place], -1.0)
        return np.array(rows, dtype=np.float64), None


def microseconds(app: Asgi, body: bytes, requests: int) -> float:
    """CPU of this process for one request."""
    headers = [(b"host", b"127.0.0.1:8000"), (b"content-length", b"%d" % len(body))]
    headers += [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    scope = {"type": "http", "path": "/invocations", "method": "POST", "headers": headers, "query_string": b""}
    message = {"type": "http.request", "body": body, "more_body": False}
    statuses: list[int] = []

    async def receive() -> Any:
        return message

    async def send(sent: Any) -> None:
        if sent["type"] == "http.response.start" and sent["status"] != 200:
            statuses.append(sent["status"])

    async def all_of_them() -> float:
        began = time.process_time()
        for _ in range(requests):
            await app(scope, receive, send)
        return time.process_time() - began

    used = uvloop.run(all_of_them())
    if statuses:
        raise SystemExit(f"answered {statuses[0]}")
    return used / requests * 1e6


def report(case: str, taken: Sequence[Sequence[float]]) -> None:
    found = [statistics.median(side) for side in taken]
    names = ["raw loop", "trilho, all off", *(f"+ {feature}" for feature in FEATURES), "trilho, all on"]
    values = [
        found[0],
        found[1],
        *(after - before for before, after in pairwise(found[1:])),
        found[-1],
    ]
    print(f"\n{case}: µs of CPU a request")
    for name, value in zip(names, values, strict=True):
        shown = f"{value:+.1f}" if name.startswith("+") else f"{value:.1f}"
        print(f"  {name:<16} {shown:>8}")
        print(json.dumps({"feature": name, "case": case, "us": round(value, 2), "shown": shown}, ensure_ascii=False))


if __name__ == "__main__":
    sys.exit(main())
