"""wrk: so many connections, each asking again as soon as it has its answer."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from models import FOLDER
from servers import HEADERS, Running

SCRIPT = Path(__file__).with_name("post.lua")


@dataclass(frozen=True, kw_only=True)
class Load:
    """What came of one window of load. Latencies in milliseconds; `failed` counts answers other than 2xx, and none.

    `late` is the share of requests for which the load itself, not the server, was late.
    """

    rate: float
    p50: float
    p99: float
    failed: int
    late: float = 0.0


def closed_loop(running: Running, *, rows: int, connections: int, seconds: float) -> Load:
    """Load for so long. One thread of wrk, unpinned, on the same machine."""
    try:
        said = wrk(running, script=SCRIPT, rows=rows, connections=connections, seconds=seconds)
    except subprocess.CalledProcessError:
        return Load(rate=0, p50=0, p99=0, failed=connections)  # nobody listens there any more
    return Load(
        rate=said["requests"] / said["microseconds"] * 1e6,
        p50=said["p50"] / 1e3,
        p99=said["p99"] / 1e3,
        failed=said["refused"] + said["broken"],
    )


def wrk(
    running: Running,
    *,
    script: Path,
    rows: int,
    connections: int,
    seconds: float,
    env: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, Any]:
    """wrk with a script that prints a line of JSON. It counts whole seconds."""
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is needed: apt-get install wrk")
    headers = FOLDER / "headers.txt"
    headers.write_text("".join(f"{name}: {value}\n" for name, value in HEADERS.items()), encoding="utf-8")
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s"]
    done = subprocess.run(
        [*command, "-s", str(script), f"http://127.0.0.1:{running.port}/invocations"],
        env={**os.environ, "BODY": str(running.model.body(rows)), "HEADERS": str(headers), **env},
        check=True,
        capture_output=True,
        text=True,
    )
    said: dict[str, Any] = json.loads(next(line for line in done.stdout.splitlines() if line.startswith("{")))
    return said
