"""What does our local tracking server cost beside `mlflow server` as shipped? The same MLflow version behind both.

The peer lives in an environment of its own (.bench/mlflow, made here if missing) that holds mlflow and nothing of ours:
uvloop, which trilho brings, would make it faster there, too. Rounds alternate; each starts both on an empty folder.

- memory: resident memory of all processes of the idle server, summed (shared pages count once per process; the unique
  and the proportional set sizes, which do not, are in the JSON line).
- ready: from the start command to the first 200 of /health, the database made on the way.
- log_metric: MlflowClient.log_metric from one client, the median of many calls; the same client for both.

    python benchmarks/tracking_server.py [--rounds 3] [--calls 200]

prints lines to read and one line of JSON per result.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import venv
from pathlib import Path

import psutil

from trilho.platform import ensure_tracking, status, stop

ROOT = Path(__file__).resolve().parent.parent
PEER = ROOT / ".bench" / "mlflow"
GOALS = {"memory": 0.2, "ready": 0.6, "log_metric": 0.125}
UNITS = {"memory": "MB", "ready": "s", "log_metric": "ms", "processes": "", "uss": "MB", "pss": "MB"}

Figures = dict[str, float]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--calls", type=int, default=200, help="log_metric calls per round")
    asked = parser.parse_args()
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"  # for both, and for the client here
    peer = peer_python()
    ours: list[Figures] = []
    theirs: list[Figures] = []
    for _ in range(asked.rounds):
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            ours.append(measure_ours(Path(folder), asked.calls))
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            theirs.append(measure_theirs(peer, Path(folder), asked.calls))
    report(ours, theirs)
    return 0


def peer_python() -> Path:
    """The Python of the peer's environment, which is made at the first call: mlflow of our version, no uvloop."""
    python = PEER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not python.exists():
        venv.create(PEER, with_pip=True)
        constraints = ROOT / "constraints.txt"
        subprocess.run([python, "-m", "pip", "install", "-q", "-c", constraints, "mlflow"], check=True)
    probe = "import importlib.util, sys; sys.exit(importlib.util.find_spec('uvloop') is not None)"
    subprocess.run([python, "-c", probe], check=True)
    return python


def measure_ours(folder: Path, calls: int) -> Figures:
    begun = time.perf_counter()
    address = ensure_tracking(folder / ".trilho", preferred_port=free_port())
    ready = time.perf_counter() - begun
    try:
        process = psutil.Process(status(folder / ".trilho", "tracking").pid)
        return {"ready": ready, **idle(process), "log_metric": log_metric(address, calls)}
    finally:
        stop(folder / ".trilho", "tracking")


def measure_theirs(python: Path, folder: Path, calls: int) -> Figures:
    port = free_port()
    with (folder / "server.log").open("wb") as log:
        begun = time.perf_counter()
        command = [str(python), "-m", "mlflow", "server", "--port", str(port)]
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", server)
        ready = time.perf_counter() - begun
        process = psutil.Process(server.pid)
        return {"ready": ready, **idle(process), "log_metric": log_metric(f"http://127.0.0.1:{port}", calls)}
    finally:
        end(server)


def idle(process: psutil.Process) -> Figures:
    """Memory and processes once the server is at rest: for two seconds no process more or less, and no CPU used."""
    before = None
    while True:
        family = [process, *process.children(recursive=True)]
        busy = sum(sum(member.cpu_times()[:2]) for member in family)
        now = (sorted(member.pid for member in family), round(busy, 1))
        if now == before:
            break
        before = now
        time.sleep(2)
    sizes = [member.memory_full_info() for member in family]
    return {
        "memory": sum(size.rss for size in sizes) / 1e6,
        "uss": sum(size.uss for size in sizes) / 1e6,
        "pss": sum(getattr(size, "pss", 0) for size in sizes) / 1e6,
        "processes": len(family),
    }


def log_metric(address: str, calls: int) -> float:
    """Milliseconds of one call, median."""
    from mlflow import MlflowClient

    client = MlflowClient(address)
    run_id = client.create_run(client.create_experiment("benchmark")).info.run_id
    for step in range(20):
        client.log_metric(run_id, "warm-up", step, step=step)
    taken = []
    for step in range(calls):
        begun = time.perf_counter()
        client.log_metric(run_id, "loss", step, step=step)
        taken.append((time.perf_counter() - begun) * 1e3)
    return statistics.median(taken)


def report(ours: list[Figures], theirs: list[Figures]) -> None:
    lines = []
    for name in ("memory", "ready", "log_metric", "processes", "uss", "pss"):
        mine, other = ([figures[name] for figures in side] for side in (ours, theirs))
        our, their = statistics.median(mine), statistics.median(other)
        ratio = our / their if their else float("nan")
        goal = GOALS.get(name)
        print(
            f"{name:<11} {our:8.1f} {UNITS[name]:<2} ({min(mine):.1f}–{max(mine):.1f})  mlflow server {their:8.1f} "
            f"({min(other):.1f}–{max(other):.1f})  ratio {ratio:.3f}" + (f", goal {goal}" if goal else "")
        )
        lines.append(
            {
                "name": f"tracking_server.{name}",
                "ratio": round(ratio, 4),
                "goal": goal,
                "ours": round(our, 3),
                "theirs": round(their, 3),
                "unit": UNITS[name],
            }
        )
    for line in lines:
        print(json.dumps(line))


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if server.poll() is not None:
                raise RuntimeError(f"the peer ended with {server.returncode}") from None
            time.sleep(0.03)


def end(server: subprocess.Popen[bytes]) -> None:
    family = [psutil.Process(server.pid), *psutil.Process(server.pid).children(recursive=True)]
    for member in family:
        member.terminate()
    _, alive = psutil.wait_procs(family, timeout=10)
    for member in alive:
        member.kill()
    server.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    sys.exit(main())
