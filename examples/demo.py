"""make demo: from nothing to a gated champion that answers, then once more to show that nothing is done twice."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

DEMO = Path("demo").resolve()
SECONDS_TO_ANSWER = 60


def main() -> None:
    trilho = [sys.executable, "-m", "trilho.cli"]
    if DEMO.exists():
        subprocess.run([*trilho, "down", "--project", str(DEMO)], check=False, capture_output=True)
        shutil.rmtree(DEMO)
    step(trilho, "new", str(DEMO), "--template", "tabular")
    os.chdir(DEMO)
    try:
        step(trilho, "run")
        step(trilho, "run")
        predict(trilho)
        step(trilho, "history")
    finally:
        step(trilho, "down")
    print(
        f"\nThe project is in {DEMO.name}/: read {DEMO.name}/trilho.yaml, change it, then: cd {DEMO.name} && trilho run"
    )


def step(trilho: list[str], *words: str) -> None:
    shown = " ".join(Path(word).name if word == str(DEMO) else word for word in words)
    print(f"\n$ trilho {shown}", flush=True)
    subprocess.run([*trilho, *words], check=True)


def predict(trilho: list[str]) -> None:
    """Start the model server, send it one row of the training data, print what it answers."""
    port = free_port()
    print(f"\n$ trilho serve --port {port} &", flush=True)
    server = subprocess.Popen([*trilho, "serve", "--port", str(port)])
    address = f"http://127.0.0.1:{port}"
    try:
        wait_for(f"{address}/ping", server)
        row = first_row()
        print(f"$ curl -d @row.json {address}/invocations   # {len(row['columns'])} features", flush=True)
        body = json.dumps({"dataframe_split": row}).encode()
        request = urllib.request.Request(f"{address}/invocations", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            print(answer.read().decode(), f"  from version {answer.headers['x-model-version']}", flush=True)
    finally:
        server.terminate()
        server.wait(timeout=30)


def first_row() -> dict[str, list[object]]:
    from sklearn.datasets import load_breast_cancer

    frame = load_breast_cancer(as_frame=True).data
    return {"columns": list(frame.columns), "data": [frame.iloc[0].tolist()]}


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + SECONDS_TO_ANSWER
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(url, timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} did not answer; see the messages above")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
