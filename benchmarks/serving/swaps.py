"""Promotions and rollbacks while the server is as busy as it can be: does an answer fail, is one wrongly labelled, and
how long does it take until the new champion answers?

    python benchmarks/serving/swaps.py [--quick] [--swaps 20]

Two versions of a forest whose answers to the same row differ, in a registry of their own (a local tracking server).
wrk asks over 64 connections without pause, and looks at every answer: the version in its header must be one whose
answer that is. Seconds count from the moment the alias is about to be written to the first answer of the new version
to a client that asks every 10 ms. trilho serve has one worker and its defaults, serve.reload_every among them.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml
from closed_loop import SCRIPT
from models import FOLDER, FOREST, Model
from servers import HEADERS, Running, Server
from sklearn.datasets import load_breast_cancer

from trilho import registry, wire
from trilho.platform.address import server_address
from trilho.project import ProjectFile, load

CONNECTIONS = 64
PLACE, NAME = FOLDER / "swaps", "bench-swaps"
LABELS = (("benign", "malignant"), ("no", "yes"))  # of version 1 and of version 2
TRILHO = [sys.executable, "-m", "trilho.cli"]
WHO = "benchmark"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="4 swaps")
    parser.add_argument("--swaps", type=int, default=20)
    asked = parser.parse_args()
    try:
        project = two_versions()
        store = Noting(registry.open_store(wire.connect(server_address(project, print))))
        champion = registry.champion(store, NAME)
        if champion is None or champion.number != 1:
            to_first(store, champion.number if champion else None)
        server = Server(about="trilho serve, following its champion", environment=None, command=following)
        running = Running("trilho", model(), server)
        try:
            return measure(running, store, project, 4 if asked.quick else asked.swaps)
        finally:
            running.stop()
    finally:
        subprocess.run([*TRILHO, "down"], cwd=PLACE, env=environment(), check=False, stdout=subprocess.DEVNULL)


class Noting:
    """A store of versions that notes when the champion's alias is about to be written."""

    def __init__(self, store: registry.VersionStore) -> None:
        self._store = store
        self.written = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def set_alias(self, name: str, alias: str, number: int) -> None:
        if alias == registry.CHAMPION:
            self.written = time.perf_counter()
        self._store.set_alias(name, alias, number)


def measure(running: Running, store: Any, project: ProjectFile, swaps: int) -> int:
    seconds: list[float] = []
    asking = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    right = {"1": labels(running, "1", asking)}
    registry.promote(store, NAME, 2, before=1, who=WHO, why="a look at its answer")
    right["2"] = labels(running, "2", asking)
    if right["1"] == right["2"]:
        raise SystemExit("both versions answer alike: nothing could be seen")
    load = under_load(running)
    try:
        time.sleep(1)
        for turn in range(swaps):
            wanted = "1" if turn % 2 == 0 else "2"
            if wanted == "1":
                registry.rollback(store, NAME, who=WHO, why="swap")
            else:
                registry.promote(store, NAME, 2, before=1, who=WHO, why="swap")
            seconds.append(in_service(asking, running, wanted) - store.written)
            print(f"  {'rollback' if wanted == '1' else 'promotion'} in service after {seconds[-1]:.2f} s", flush=True)
            time.sleep(0.3)
    finally:
        load.send_signal(signal.SIGINT)
        said = json.loads(load.communicate(timeout=60)[0].splitlines()[-1])
    return report(said, right, seconds, project.serve.reload_every + 1.0)


def report(said: dict[str, Any], right: dict[str, str], seconds: list[float], allowed: float) -> int:
    answers = failed = wrong = 0
    for answer, count in said["answers"].items():
        status, version, body = answer.split("|", 2)
        answers += count
        if status != "200":
            failed += count
        elif right.get(version) != body:
            wrong += count
    failed += said["broken"]
    figures = {
        "swaps": len(seconds),
        "connections": CONNECTIONS,
        "rate": answers / said["microseconds"] * 1e6,
        "answers": answers,
        "failed": failed,
        "wrong": wrong,
        "median": statistics.median(seconds),
        "longest": max(seconds),
        "allowed": allowed,
    }
    reached = not failed and not wrong and max(seconds) <= allowed
    print(
        f"{len(seconds)} swaps under {figures['rate']:,.0f} requests/s: {answers:,} answers, {failed} failed, {wrong} "
        f"wrongly labelled; in service after {figures['median']:.2f} s, at most {max(seconds):.2f} s "
        f"(goal {allowed:.1f} s: {'reached' if reached else 'MISSED'})"
    )
    print(json.dumps({**figures, "reached": reached}))
    return 0 if not failed and not wrong else 1


def labels(running: Running, version: str, asking: http.client.HTTPConnection) -> str:
    """The body with which a version answers the request, once it is in charge."""
    in_service(asking, running, version)
    return ask(asking, running)[1]


def in_service(asking: http.client.HTTPConnection, running: Running, version: str, *, patience: float = 60) -> float:
    """When the version answered for the first time."""
    until = time.perf_counter() + patience
    while time.perf_counter() < until:
        if ask(asking, running)[0] == version:
            return time.perf_counter()
        time.sleep(0.01)
    raise SystemExit(f"v{version} does not answer after {patience} s")


def ask(asking: http.client.HTTPConnection, running: Running) -> tuple[str, str]:
    """Version and body of an answer."""
    asking.request("POST", "/invocations", running.model.body(1).read_bytes(), HEADERS)
    answer = asking.getresponse()
    return answer.headers.get("x-model-version", ""), answer.read().decode()


def under_load(running: Running) -> subprocess.Popen[str]:
    """wrk, until it gets SIGINT."""
    headers = PLACE / "headers.txt"
    headers.write_text("".join(f"{name}: {value}\n" for name, value in HEADERS.items()), encoding="utf-8")
    script = Path(__file__).with_name("judge.lua")
    words = ["wrk", "-t1", f"-c{CONNECTIONS}", "-d3600s", "--timeout", "30s", "-s", str(script)]
    env = {**os.environ, "POST": str(SCRIPT), "BODY": str(running.model.body(1)), "HEADERS": str(headers)}
    address = f"http://127.0.0.1:{running.port}/invocations"
    return subprocess.Popen([*words, address], env=env, stdout=subprocess.PIPE, text=True)


# ----------------------------------------------------------------------------------------------------------------------


def two_versions() -> ProjectFile:
    """The project, with two registered versions."""
    body = PLACE / "peer" / "1.json"
    if not body.exists():
        body.parent.mkdir(parents=True, exist_ok=True)
        table = load_breast_cancer(as_frame=True)
        settings = {
            "name": NAME,
            "task": "classification",
            "target": "target",
            "data": {"source": "rows.csv"},
            "transform": {"using": "standard_scaler"},
            "train": FOREST,
            "evaluate": {"champion": {"metric": "accuracy", "margin": 0.05}},
            "register": {"promote": "always"},
        }
        (PLACE / "trilho.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        for words in LABELS:
            print(f"Making a version that says {' or '.join(words)} …", flush=True)
            table.data.assign(target=table.target.map(dict(enumerate(words)))).to_csv(PLACE / "rows.csv", index=False)
            subprocess.run([*TRILHO, "run"], cwd=PLACE, env=environment(), check=True, stdout=subprocess.DEVNULL)
        split = {"columns": list(table.data.columns), "data": [table.data.iloc[0].tolist()]}
        body.write_text(json.dumps({"dataframe_split": split}), encoding="utf-8")
    return load(PLACE)


def to_first(store: Any, champion: int | None) -> None:
    registry.promote(store, NAME, 1, before=champion, who=WHO, why="where the measurement begins", forced=True)


def model() -> Model:
    return Model(name="swaps", folder=PLACE, compiled=True, columns=[], row={})


def following(_: Model, port: int) -> list[str | Path]:
    return [*TRILHO, "serve", "--project", PLACE, "--port", str(port)]


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "TRILHO_"))}
    return {**kept, "MLFLOW_DISABLE_TELEMETRY": "true"}


if __name__ == "__main__":
    sys.exit(main())
