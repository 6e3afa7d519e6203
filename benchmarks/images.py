"""Sizes of the three images, and seconds until each is healthy: `python benchmarks/images.py [TAG]`.

The images must be built: `trilho deploy compose server && cd server && docker compose --profile training build`.
Sizes leave out the base, which is another one wherever images come from.
"""

from __future__ import annotations

import subprocess
import sys
import time
from importlib.metadata import version

BASE = "python:3.11-slim"
ROUNDS = 3
# What each is started with: nothing that it has to wait for, and no champion.
STARTED_WITH = {
    "mlflow": ["trilho", "tracking-server"],
    "webapp": ["trilho", "serve", "--model", "models:/none@champion", "--host", "0.0.0.0", "--insecure", "--wait"],
}
ASKED = {"mlflow": 5000, "webapp": 8000}
PROBE = (
    "import sys, time, urllib.request\n"
    "while True:\n"
    "    try:\n"
    "        urllib.request.urlopen(sys.argv[1], timeout=1); break\n"
    "    except OSError:\n"
    "        time.sleep(0.05)\n"
)


def main() -> None:
    tag = sys.argv[1] if len(sys.argv) > 1 else version("trilho")
    base = size(BASE)
    print("| image | on top of the base | seconds to the first healthy answer, median of 3 |\n| --- | --- | --- |")
    for name in ("webapp", "mlflow", "model"):
        image = f"trilho/{name}:{tag}"
        took = sorted(start(name, image) for _ in range(ROUNDS))[ROUNDS // 2] if name in ASKED else None
        print(f"| {name} | {(size(image) - base) / 1e6:.0f} MB | {'' if took is None else f'{took:.1f}'} |", flush=True)


def size(image: str) -> int:
    return int(docker("image", "inspect", "--format", "{{.Size}}", image))


def start(name: str, image: str) -> float:
    began = time.perf_counter()
    address = ["--env", "MLFLOW_TRACKING_URI=http://127.0.0.1:1"]  # nobody: the model server starts all the same
    container = docker("run", "--detach", "--network", "none", *address, image, *STARTED_WITH[name])
    try:
        docker("exec", container, "python", "-c", PROBE, f"http://127.0.0.1:{ASKED[name]}/health")
        return time.perf_counter() - began
    finally:
        docker("rm", "--force", container)


def docker(*words: str) -> str:
    return subprocess.run(["docker", *words], check=True, capture_output=True, text=True, timeout=120).stdout.strip()


if __name__ == "__main__":
    main()
