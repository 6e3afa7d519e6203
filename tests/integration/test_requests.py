"""How often a run asks a real server: counted on the way."""

from __future__ import annotations

import http.client
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from command_line import trilho, trilho_json, write_project

Asked = list[str]


@contextmanager
def counting(server: str) -> Iterator[tuple[str, Asked]]:
    """An address that passes all on to `server`, and what was asked there: "GET registered-models/alias", with
    " by …" behind it where a password was sent."""
    asked: Asked = []
    behind = urlsplit(server).netloc

    class Passing(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Nothing on stderr."""

        def do_GET(self) -> None:
            by = f" by {self.headers['Authorization']}" if "Authorization" in self.headers else ""
            asked.append(f"{self.command} {self.path.partition('?')[0].removeprefix('/api/2.0/mlflow/')}{by}")
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            connection = http.client.HTTPConnection(behind)
            connection.request(self.command, self.path, body, {"Content-Type": self.headers.get("Content-Type", "")})
            answer = connection.getresponse()
            content = answer.read()
            connection.close()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers.get("Content-Type", ""))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    for method in ("POST", "PUT", "PATCH", "DELETE"):
        setattr(Passing, f"do_{method}", Passing.do_GET)
    with ThreadingHTTPServer(("127.0.0.1", 0), Passing) as passing:
        passing.daemon_threads = True
        threading.Thread(target=passing.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{passing.server_address[1]}", asked
        passing.shutdown()


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return write_project(tmp_path / "project", f"asked-{uuid4().hex[:8]}", {})


def test_an_unchanged_run_of_the_champion_asks_once(project: Path, mlflow_server: str) -> None:
    trilho(project, "run", server=mlflow_server)
    with counting(mlflow_server) as (address, asked):
        done = trilho_json(project, "run", server=address)
    assert {step["status"] for step in done["steps"]} == {"reused"}
    assert done["champion"]["version"] == 1
    assert asked == ["GET registered-models/alias"]


def test_a_version_that_was_deleted_is_noticed_by_the_same_question(project: Path, mlflow_server: str) -> None:
    from trilho.wire import connect

    name = trilho_json(project, "run", server=mlflow_server)["champion"]["name"]
    with connect(mlflow_server) as client:
        client.delete("model-versions/delete", {"name": name, "version": "1"})
    done = trilho_json(project, "run", server=mlflow_server)
    assert done["steps"][-1]["reason"] == f"{name} v1 is gone from the registry"
    assert done["champion"]["version"] == 2


@pytest.mark.parametrize("step", ["ingest", "split", "transform"])
def test_steps_that_make_no_model_ask_nobody(project: Path, mlflow_server: str, step: str) -> None:
    with counting(mlflow_server) as (address, asked):
        trilho(project, "run", step, server=address)
    assert asked == []
    assert not (project / ".trilho" / "spool").exists(), "nothing was tried, so there is nothing to send"


def test_steps_that_make_no_model_start_no_local_server(project: Path) -> None:
    done = trilho(project, "run", "transform")
    assert "Offline" not in done.stdout
    assert not (project / ".trilho" / "mlflow").exists()


def test_a_step_that_is_fresh_asks_nobody(project: Path, mlflow_server: str) -> None:
    trilho(project, "run", server=mlflow_server)
    with counting(mlflow_server) as (address, asked):
        trilho(project, "run", "evaluate", server=address)
    assert asked == []


def test_an_unchanged_run_without_its_server_says_that_nobody_was_asked(project: Path, mlflow_server: str) -> None:
    trilho(project, "run", server=mlflow_server)
    done = trilho(project, "run", server="http://127.0.0.1:9")
    assert "was judged before; the registry was not asked" in done.stdout
    assert "not judged yet" not in done.stdout


def test_a_local_server_that_cannot_start_fails_no_training(project: Path) -> None:
    (project / ".trilho" / "mlflow").mkdir(parents=True)
    (project / ".trilho" / "mlflow" / "mlflow.db").write_bytes(b"no database " * 1000)
    done = trilho(project, "run")
    assert "mlflow.db.damaged" in done.stderr, "the way out"
    assert "not judged yet" in done.stdout
    assert (project / "artifacts" / "model" / "model.joblib").is_file()


def test_an_unchanged_run_loads_nothing_heavy_even_if_its_version_stands_refused(
    project: Path, mlflow_server: str
) -> None:
    trilho(project, "run", "--set", "evaluate.thresholds.f1=0.9999", server=mlflow_server, code=3)
    again = trilho(
        project, "run", "--set", "evaluate.thresholds.f1=0.9999",
        server=mlflow_server, code=3, PYTHONPROFILEIMPORTTIME="1",
    )  # fmt: skip
    assert "f1 0.9" in again.stdout, "the reason"
    loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in again.stderr.splitlines()}
    assert "trilho" in loaded
    assert not loaded & {"numpy", "pandas", "sklearn", "scipy", "pyarrow", "mlflow", "onnxruntime", "rich"}


def test_credentials_of_the_env_file_go_along_with_every_command_and_are_shown_by_none(
    project: Path, mlflow_server: str
) -> None:
    with counting(mlflow_server) as (address, asked):
        lines = [f"MLFLOW_TRACKING_URI={address}", "MLFLOW_TRACKING_USERNAME=ana", "MLFLOW_TRACKING_PASSWORD=geheim"]
        (project / ".env").write_text("\n".join(lines), encoding="utf-8")
        told = ""
        for verb in ("run", "status", "history", "config", "run", "sync"):
            done = trilho(project, verb)
            told += done.stdout + done.stderr
    assert len(asked) > 20
    ours = b64encode(b"ana:geheim").decode()
    assert [one for one in asked if not one.endswith(f" by Basic {ours}")] == []
    assert "geheim" not in told
    assert ours not in told
