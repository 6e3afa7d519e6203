"""A project that is served and watched by the real parts: trilho up, Prometheus, Alertmanager, node exporter.

Times are shortened by writing over what `trilho deploy monitoring` wrote; `test_prometheus_rules.py` has the true ones.
"""

from __future__ import annotations

import json
import re
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from command_line import trilho
from conftest import free_port, stop, wait_for
from prometheus_parts import ALERTMANAGERS, NODE_EXPORTERS, program, taken
from serving_process import until

JSON = {"Content-Type": "application/json"}
SLOW = """
import time
from pathlib import Path

def slowly(frame):
    if Path({flag!r}).exists():
        time.sleep(1.2)
    return frame
"""


def ask(address: str, path: str, body: Any = None) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a request; status 0 where nobody answers."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{address}{path}", data, JSON)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), error.read()
    except OSError:
        return 0, {}, b""


# -------------------------------------------------------------------------------------------- what stands in, and hears


class Outside:
    """Hears Alertmanager's webhook, and exposes what only a cluster and MLflow's own exporter would."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        began = time.time()
        outside = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = _exposed_elsewhere(time.time() - began).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                outside.heard += json.loads(self.rfile.read(int(self.headers["Content-Length"])))["alerts"]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def told(self, name: str, status: str, *, after: int) -> dict[str, Any] | None:
        """The first notification of an alert among those heard from number `after` on."""
        found = (one for one in self.heard[after:] if (one["labels"]["alertname"], one["status"]) == (name, status))
        return next(found, None)


def _exposed_elsewhere(seconds: float) -> str:
    pod = 'namespace="mlflow-prod",pod="mlflow-server-1"'
    return "\n".join(
        [
            f'container_cpu_usage_seconds_total{{{pod},container="mlflow"}} {seconds * 0.2:.3f}',
            f'container_memory_usage_bytes{{{pod},container="mlflow"}} 5e8',
            f'container_memory_working_set_bytes{{{pod},container="mlflow"}} 4e8',
            f'kube_pod_container_resource_limits{{{pod},container="mlflow",resource="cpu"}} 1',
            f'kube_pod_container_resource_limits{{{pod},container="mlflow",resource="memory"}} 1e9',
            f'kube_pod_container_status_waiting_reason{{{pod},container="mlflow",reason="CrashLoopBackOff"}} 0',
            f"kube_pod_info{{{pod}}} 1",
            f'mlflow_http_request_total{{method="GET",status="200"}} {int(seconds * 3)}',
            f'mlflow_http_request_duration_seconds_bucket{{method="GET",status="200",le="+Inf"}} {int(seconds * 3)}',
            "",
        ]
    )


# ------------------------------------------------------------------------------------------------------------ the parts


class Traffic:
    """Asks both servers several times a second, in a thread, as `rows` says. Never fails: servers may be down."""

    def __init__(self, tracking: str, model: str, rows: pd.DataFrame) -> None:
        self.rows, self.sent = rows, 0
        self._tracking, self._model = tracking, model
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(0.2):
            table = json.loads(self.rows.sample(20).to_json(orient="split", index=False))
            ask(self._model, "/invocations", {"dataframe_split": table})
            ask(self._tracking, "/api/2.0/mlflow/experiments/search", {"max_results": 5})
            self.sent += 1


@dataclass
class Stack:
    """Everything that runs, and ways to ask it."""

    project: Path
    tracking: str
    model: str
    prometheus: str
    outside: Outside
    traffic: Traffic
    slow: Path
    folder: Path
    port: int  # of the tracking server

    def up(self) -> None:
        """Start what does not run, where it was."""
        trilho(self.project, "up", "--port", str(self.port))

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The samples of an expression, now."""
        return self._result("/api/v1/query", query=expression)

    def history(self, expression: str) -> list[dict[str, Any]]:
        """The series of an expression in the last ten minutes."""
        now = time.time()
        return self._result("/api/v1/query_range", query=expression, start=now - 600, end=now, step=2)

    def get(self, path: str) -> Any:
        return json.loads(ask(self.prometheus, path)[2])["data"]

    def fires(self, name: str, cause: Callable[[], Any], cure: Callable[[], Any]) -> dict[str, Any]:
        """Bring the cause about; once the webhook heard of it, remove it and wait until it heard of that, too."""
        before = len(self.outside.heard)
        cause()
        told = until(lambda: self.outside.told(name, "firing", after=before), f"{name} fires\n{self._standing()}")
        cure()
        until(lambda: self.outside.told(name, "resolved", after=before), f"{name} resolves\n{self._standing()}")
        return told  # type: ignore[no-any-return]

    def _result(self, path: str, **words: Any) -> list[dict[str, Any]]:
        status, _, body = ask(self.prometheus, f"{path}?{urllib.parse.urlencode(words)}")
        assert status == 200, f"{words}\n{body.decode()}"
        found: list[dict[str, Any]] = json.loads(body)["data"]["result"]
        return found

    def _standing(self) -> str:
        return json.dumps(self.get("/api/v1/alerts"), indent=1)[:3000]


@contextmanager
def running(command: Sequence[str], *, ready: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A program, from when it answers until it is stopped by its own process id."""
    log = folder / f"{Path(command[0]).name}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out)
    try:
        wait_for(ready, process, log)
        yield process
    finally:
        stop(process)


def shortened(folder: Path, *, prometheus: int, alertmanager: int, node: int, outside: Outside) -> None:
    """Write over times and addresses: seconds instead of minutes, free ports, every commented job that runs here."""
    rules = (folder / "rules.yml").read_text(encoding="utf-8")
    rules = re.sub(r"for: \d+m", "for: 1s", re.sub(r"\[\d+m\]", "[10s]", rules))
    (folder / "rules.yml").write_text(rules, encoding="utf-8")

    text = taken((folder / "prometheus.yml").read_text(encoding="utf-8"), "The machine", "Kubernetes: pods")
    found = yaml.safe_load(text)
    found["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    found["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{alertmanager}"]
    ports = {"prometheus": prometheus, "node": node, "kube-state-metrics": outside.port}
    for job in found["scrape_configs"]:
        if job["job_name"] in ports:
            job["static_configs"][0]["targets"] = [f"127.0.0.1:{ports[job['job_name']]}"]
    cadvisor = {"job_name": "cadvisor", "static_configs": [{"targets": [f"127.0.0.1:{outside.port}"]}]}
    keep = {"source_labels": ["__name__"], "regex": "container_.*", "action": "keep"}
    found["scrape_configs"].append({**cadvisor, "metric_relabel_configs": [keep]})
    (folder / "prometheus.yml").write_text(yaml.safe_dump(found), encoding="utf-8")
    with (folder / "targets" / "mlflow-server.yml").open("a", encoding="utf-8") as file:
        file.write(f'- targets: ["127.0.0.1:{outside.port}"]\n')  # MLflow's own exporter

    told = yaml.safe_load(taken((folder / "alertmanager.yml").read_text(encoding="utf-8"), "Any webhook"))
    told["route"] |= {"group_wait": "0s", "group_interval": "1s"}
    told["receivers"][0]["webhook_configs"][0]["url"] = f"http://127.0.0.1:{outside.port}/alerts"
    (folder / "alertmanager.yml").write_text(yaml.safe_dump(told), encoding="utf-8")


@contextmanager
def watching(folder: Path, *, outside: Outside) -> Iterator[str]:
    """Prometheus and the two beside it over a folder of `trilho deploy monitoring`; the address of Prometheus."""
    ports = {name: free_port() for name in ("prometheus", "alertmanager", "node")}
    at = {name: f"127.0.0.1:{port}" for name, port in ports.items()}
    shortened(folder, **ports, outside=outside)
    prometheus = [program("prometheus"), "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
    manager = [program(*ALERTMANAGERS), "--config.file=alertmanager.yml", "--storage.path=alerts"]
    manager += ["--cluster.listen-address=", f"--web.listen-address={at['alertmanager']}"]
    node = [program(*NODE_EXPORTERS), f"--web.listen-address={at['node']}"]
    with (
        running(node, ready=f"http://{at['node']}/metrics", folder=folder),
        running(manager, ready=f"http://{at['alertmanager']}/-/ready", folder=folder),
        running(
            [*prometheus, f"--web.listen-address={at['prometheus']}"],
            ready=f"http://{at['prometheus']}/-/ready",
            folder=folder,
        ),
    ):
        yield f"http://{at['prometheus']}"


def ended(project: Path) -> None:
    """Stop what trilho up started."""
    with suppress(AssertionError):
        trilho(project, "down")
