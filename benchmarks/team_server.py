"""Many clients log at once: our tracking server beside `mlflow server` with its defaults.

Both over the same database server and the same S3 store, each on a fresh database in each round, the rounds in turn.
The peer lives in an environment of its own (.bench/mlflow-team: mlflow, its drivers, nothing of ours).

- seconds: from the first request to the last answer.
- slowest: the slowest single answer, seconds.
- memory: resident memory of all processes of the server right after the load.
- lost: points that were acknowledged and are not in the database; refused: answers other than 200.

    python benchmarks/team_server.py [--databases sqlite mysql postgres] [--clients 8] [--rounds 3] [--runs 200]
        [--points 1000]

prints lines to read and one line of JSON per result. It wants what the tests in tests/integration/databases want.
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
import tempfile
import threading
import time
import venv
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil
import sqlalchemy

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests")]

from conftest import free_port  # noqa: E402
from team_databases import mariadb_server, postgres_server  # noqa: E402
from team_store import seaweed_server  # noqa: E402

PEER = ROOT / ".bench" / "mlflow-team"
GOALS = {"seconds": 1.0, "slowest": 1.0, "memory": 0.3}
Figures = dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--databases", nargs="+", default=["sqlite", "mysql", "postgres"])
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--points", type=int, default=1000)
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what was started is ended then, too
    peer = peer_python()
    with ExitStack() as parts:
        store = parts.enter_context(seaweed_server())
        servers = {"mysql": mariadb_server, "postgres": postgres_server}
        for name in asked.databases:
            database = parts.enter_context(servers[name]()) if name in servers else None
            ours: list[Figures] = []
            theirs: list[Figures] = []
            for _ in range(asked.rounds):
                for command, side in ((trilho_command, ours), (mlflow_command(peer), theirs)):
                    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                        uri = database.fresh() if database else f"sqlite:///{Path(folder, 'mlflow.db').as_posix()}"
                        load = (asked.clients, asked.runs, asked.points)
                        side.append(measure(command, uri, Path(folder), store.environment, *load))
            report(name, ours, theirs)
    return 0


def trilho_command(port: int, uri: str) -> list[str]:
    words = [sys.executable, "-m", "trilho.cli", "tracking-server", "--port", str(port)]
    return [*words, "--backend-store-uri", uri, "--artifacts-destination", "s3://benchmark/"]


def mlflow_command(python: Path) -> Callable[[int, str], list[str]]:
    def command(port: int, uri: str) -> list[str]:
        words = [str(python), "-m", "mlflow", "server", "--port", str(port)]
        return [*words, "--backend-store-uri", uri, "--artifacts-destination", "s3://benchmark/"]

    return command


def peer_python() -> Path:
    """The Python of the peer's environment, which is made at the first call."""
    python = PEER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(PEER, with_pip=True)
        packages = ["mlflow", "boto3", "pymysql", "psycopg2-binary"]
        subprocess.run([python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", *packages], check=True)
    return python


def measure(
    command: Callable[[int, str], list[str]],
    uri: str,
    folder: Path,
    store: dict[str, str],
    clients: int,
    runs: int,
    points: int,
) -> Figures:
    port = free_port()
    environment = {**os.environ, **store, "AWS_DEFAULT_REGION": store["AWS_REGION"], "MLFLOW_DISABLE_TELEMETRY": "true"}
    with running(command(port, uri), port, folder, environment) as server:
        taken: list[float] = []
        refused: list[int] = []
        lock = threading.Lock()

        def client(number: int) -> list[str]:
            body = json.dumps([{"key": "loss", "value": s / 7, "timestamp": 1, "step": s} for s in range(points)])
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
            logged = []
            for _ in range(number, runs, clients):
                run_id = ""
                for path, text in (
                    ("create", '{"experiment_id": "0"}'),
                    ("log-batch", '{"run_id": "%s", "metrics": ' + body + "}"),
                    ("update", '{"run_id": "%s", "status": "FINISHED"}'),
                ):
                    begun = time.perf_counter()
                    asked = text.replace("%s", run_id)
                    connection.request(
                        "POST", f"/api/2.0/mlflow/runs/{path}", asked, {"Content-Type": "application/json"}
                    )
                    answer = connection.getresponse()
                    found = answer.read()
                    with lock:
                        taken.append(time.perf_counter() - begun)
                        if answer.status != 200:
                            refused.append(answer.status)
                    if path == "create" and answer.status == 200:
                        run_id = json.loads(found)["run"]["info"]["run_id"]
                    if path == "log-batch" and answer.status == 200:
                        logged.append(run_id)
            return logged

        begun = time.perf_counter()
        with ThreadPoolExecutor(clients) as pool:
            logged = [run_id for found in pool.map(client, range(clients)) for run_id in found]
        wall = time.perf_counter() - begun
        family = [server, *server.children(recursive=True)]
        memory = sum(member.memory_info().rss for member in family) / 1e6
    engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        kept = connection.execute(sqlalchemy.text("SELECT count(*) FROM metrics")).scalar_one()
    return {
        "seconds": wall,
        "slowest": max(taken),
        "median": statistics.median(taken),
        "memory": memory,
        "processes": len(family),
        "refused": len(refused),
        "lost": len(logged) * points - kept,
    }


@contextmanager
def running(command: list[str], port: int, folder: Path, environment: dict[str, str]) -> Iterator[psutil.Process]:
    with (folder / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, env=environment)
    try:
        while True:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/health")
                if connection.getresponse().status == 200:
                    break
            except OSError:
                if server.poll() is not None:
                    said = (folder / "server.log").read_text(errors="replace")[-3000:]
                    raise RuntimeError(f"{command[2]} ended with {server.returncode}\n{said}") from None
                time.sleep(0.05)
        yield psutil.Process(server.pid)
    finally:
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
        for member in family:
            member.terminate()
        for member in psutil.wait_procs(family, timeout=10)[1]:
            member.kill()
        server.wait()


def report(database: str, ours: list[Figures], theirs: list[Figures]) -> None:
    units = {"seconds": "s", "slowest": "s", "median": "s", "memory": "MB"}
    lines = []
    for name in ours[0]:
        our, their = (statistics.median(figures[name] for figures in side) for side in (ours, theirs))
        ratio = our / their if their else None
        print(
            f"{database:<9} {name:<11} {our:10.3f} {units.get(name, ''):<8}  mlflow server {their:10.3f}"
            + (f"  ratio {ratio:.3f}" if ratio is not None else "")
        )
        lines.append(
            {
                "name": f"team_server.{database}.{name}",
                "ratio": ratio and round(ratio, 4),
                "goal": GOALS.get(name),
                "ours": round(our, 4),
                "theirs": round(their, 4),
                "unit": units.get(name, ""),
            }
        )
    for line in lines:
        print(json.dumps(line))


if __name__ == "__main__":
    sys.exit(main())
