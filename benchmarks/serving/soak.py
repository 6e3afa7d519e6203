"""A million requests to one worker: how much memory does it hold after 1 %, 50 % and all of them?

    python benchmarks/serving/soak.py [--quick] [--requests 1000000] [--model forest]

wrk with 16 connections, single rows, everything on, the journal included. After each share the server rests until its
journal is written; then the resident memory of its worker (the largest of its processes) and of all is read.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

from closed_loop import SCRIPT, wrk
from models import PROJECTS, made
from servers import Running

SHARES = (0.01, 0.5, 1.0)
CONNECTIONS = 16
LONGEST = 1200  # seconds of one share
REST = 3.0  # seconds, longer than the journal waits before it writes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="50,000 requests")
    parser.add_argument("--requests", type=int, default=1_000_000)
    parser.add_argument("--model", choices=tuple(PROJECTS), default="forest")
    asked = parser.parse_args()
    running = Running("trilho", made(asked.model))
    try:
        return soak(running, 50_000 if asked.quick else asked.requests)
    finally:
        running.stop()


def soak(running: Running, requests: int) -> int:
    done = failed = 0
    workers: list[float] = []
    for share in SHARES:
        began = time.perf_counter()
        wanted = int(requests * share) - done
        refused = some(running, wanted)
        took = time.perf_counter() - began
        done, failed = done + wanted, failed + refused
        running.settle()
        time.sleep(REST)
        sizes = [member.memory_info().rss / 1e6 for member in running.family()]
        workers.append(max(sizes))
        journal = size_of(running.model.folder / ".trilho" / "journal") / 1e6
        print(
            f"{done:>9,} requests, {wanted / took:,.0f}/s: "
            f"worker {max(sizes):.1f} MB, all processes {sum(sizes):.1f} MB, "
            f"journal {journal:.0f} MB on disk, {failed} failed",
            flush=True,
        )
        figures = {"requests": done, "worker": max(sizes), "all": sum(sizes), "journal": journal, "failed": failed}
        print(json.dumps(figures), flush=True)
    growth = workers[-1] - workers[0]
    print(f"Growth from the first hundredth to the end: {growth:+.1f} MB ({growth / workers[0]:+.1%}).")
    return 1 if failed else 0


def some(running: Running, requests: int) -> int:
    """So many single rows; how many were refused."""
    env = {"POST": str(SCRIPT), "REQUESTS": str(requests)}
    script = Path(__file__).with_name("soak.lua")
    return int(wrk(running, script=script, rows=1, connections=CONNECTIONS, seconds=LONGEST, env=env)["refused"])


def size_of(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        total += sum((Path(root) / name).stat().st_size for name in names)
    return total


if __name__ == "__main__":
    sys.exit(main())
