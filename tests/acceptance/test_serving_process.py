"""A server of several processes: what is killed, stopped, damaged, missing, or too many."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import warnings
from pathlib import Path

import psutil
import pytest

from command_line import environment, trilho
from serving_process import JSON, ROW, Load, Server, assert_labelled, serving, until, versioned
from trilho import bundle
from unit.bundle.tables import cancer

HEAVY = "/(mlflow|pandas|sklearn|scipy|skops)"

posix = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return versioned(1, tmp_path_factory.mktemp("bundle"))


def connected(server: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), timeout=60)


def head(length: int) -> bytes:
    return (
        f"POST /invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {length}".encode()
    )


def answered(sock: socket.socket) -> tuple[int, bytes]:
    answer = http.client.HTTPResponse(sock)
    answer.begin()
    return answer.status, answer.read()


def version_of(server: Server) -> str:
    status, _, body = server.ask("POST", "/invocations", ROW, JSON)
    assert status == 200
    assert_labelled("1", body)
    return "1"


def test_bundle_is_served_where_there_is_no_project(model: Path, tmp_path: Path) -> None:
    with serving(tmp_path, "--model", str(model)) as server:
        assert version_of(server)
        until((tmp_path / ".trilho" / "journal").is_dir, "the journal")
        state = server.health()["server"]
        assert (state["following"], state["registry_reachable"], state["workers"]) == (str(model), None, 1)
        assert server.stop() == 0
    assert list((tmp_path / ".trilho" / "serving").glob("run-*")) == []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="looks at what Linux has mapped")
def test_parent_is_small_and_workers_load_no_heavy_package(model: Path, tmp_path: Path) -> None:
    with serving(tmp_path, "--model", str(model), "--workers", "2") as server:
        version_of(server)
        for process in (psutil.Process(server.process.pid), *server.workers):
            mapped = [entry.path.rpartition("site-packages")[2] for entry in process.memory_maps()]
            assert [path for path in mapped if re.search(HEAVY, path)] == []
            assert mapped


def test_worker_imports_nothing_heavy() -> None:
    script = "import sys, trilho.serving.worker, trilho.bundle.opening, trilho.bundle.compiled; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert {name.split(".")[0] for name in done.stdout.split()} & {
        "mlflow",
        "pandas",
        "sklearn",
        "scipy",
        "typer",
    } == set()
    script = "import sys, trilho.serving.parent; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    found = {name.split(".")[0] for name in done.stdout.split()}
    assert found & {"mlflow", "pandas", "sklearn", "numpy", "onnxruntime", "uvicorn", "pyarrow"} == set()


def test_killed_worker_is_replaced_and_no_answer_is_wrong(model: Path, tmp_path: Path) -> None:
    with serving(tmp_path, "--model", str(model), "--workers", "2") as server:
        until(lambda: server.health()["server"]["workers"] == 2, "both workers")
        with Load(server, labelled="1") as load:
            for killed in range(1, 4):
                victim = server.workers[0]
                victim.kill()
                until(lambda victim=victim: victim not in server.workers, "its end")  # type: ignore[misc]
                # Until the parent has looked, its state tells of the worker that is gone.
                until(lambda killed=killed: server.health()["server"]["restarts"] == killed, "what replaces it")  # type: ignore[misc]
                until(lambda: server.health()["server"]["workers"] == 2, "its successor")
        # What was in flight on a killed worker is lost; its clients see a closed connection, and no wrong answer.
        assert [each for each in load.wrong if each.startswith("AssertionError")] == []
        assert sum(load.answers.values()) > 100
        told = server.ask("GET", "/metrics")[2].decode()
        counted = re.findall(r'http_requests_total\{method="POST",path="/invocations",status="200"\} (\d+)', told)
        # A worker writes what it counted every second: so much may die with it.
        assert 0 < float(counted[0]) <= sum(load.answers.values()) + 1
        assert "it is replaced" in server.log


def test_workers_end_and_the_port_is_free_when_the_parent_is_killed(model: Path, tmp_path: Path) -> None:
    with serving(tmp_path, "--model", str(model), "--workers", "2") as server:
        until(lambda: server.health()["server"]["workers"] == 2, "both workers")
        workers = server.workers
        server.process.kill()
        server.process.wait()
        _, alive = psutil.wait_procs(workers, timeout=60)
        assert alive == []
        with socket.create_server(("127.0.0.1", server.port)):
            pass
    left = list((tmp_path / ".trilho" / "serving").glob("run-*"))
    assert len(left) == 1
    os.utime(left[0], (0, 0))
    with serving(tmp_path, "--model", str(model)):
        assert left[0] not in (tmp_path / ".trilho" / "serving").glob("run-*"), "the next server tidies up"


@posix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_finishes_what_is_in_flight(model: Path, tmp_path: Path, number: int) -> None:
    with serving(tmp_path, "--model", str(model), "--workers", "2") as server:
        with connected(server) as slow:
            slow.sendall(head(len(ROW)) + b"\r\n\r\n" + ROW[:10])
            assert server.health()["status"] == "ok", "half a body holds nobody up"
            server.process.send_signal(number)
            until(lambda: _refuses(server), "that nobody new is let in")
            slow.sendall(ROW[10:])
            status, body = answered(slow)
            assert status == 200
            assert_labelled("1", body)
        assert server.process.wait(timeout=300) == 0
        assert "Stopped" in until(lambda: "Stopped" in server.log and server.log, "the last line")


@posix
def test_stop_of_the_whole_group_is_quiet(model: Path, tmp_path: Path) -> None:
    """Ctrl-C and `docker stop` of a group reach workers and parent at once."""
    with serving(tmp_path, "--model", str(model), "--workers", "2") as server:
        until(lambda: server.health()["server"]["workers"] == 2, "both workers")
        for process in [*server.workers, psutil.Process(server.process.pid)]:
            process.send_signal(signal.SIGINT)
        assert server.process.wait(timeout=300) == 0
        assert "Traceback" not in server.log


def test_connections_beyond_the_limit_are_answered_and_those_within_go_on(model: Path, tmp_path: Path) -> None:
    with serving(tmp_path, "--model", str(model), "--set", "serve.connections=20") as server:
        taken = [connected(server) for _ in range(20)]
        for sock in taken:
            sock.sendall(b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n")
            assert answered(sock)[0] == 200
        for _ in range(3):
            with connected(server) as late:
                late.sendall(head(len(ROW)) + b"\r\n\r\n" + ROW)
                status, body = answered(late)
                assert (status, json.loads(body)["error_code"]) == (503, "TEMPORARILY_UNAVAILABLE")
        taken[0].sendall(head(len(ROW)) + b"\r\n\r\n" + ROW)
        assert answered(taken[0])[0] == 200
        for sock in taken:
            sock.close()
        until(lambda: version_of(server), "places are free again")


def test_worker_that_dies_at_once_each_time_is_an_error_that_ends(model: Path, tmp_path: Path) -> None:
    (tmp_path / "trilho_breaks").mkdir()
    (tmp_path / "trilho_breaks" / "uvicorn.py").write_text("raise SystemExit(7)", encoding="utf-8")
    words = ("serve", "--port", "0", "--model", str(model))
    done = trilho(tmp_path, *words, code=1, PYTHONPATH=str(tmp_path / "trilho_breaks"))
    assert "No worker stays alive" in done.stderr
    assert "Traceback" not in done.stderr


def test_damaged_bundle_on_disk_is_an_error(model: Path, tmp_path: Path) -> None:
    shutil.copy(model, tmp_path / "bundle.tar")
    with (tmp_path / "bundle.tar").open("ab") as file:
        file.write(b"more")
    done = trilho(tmp_path, "serve", "--port", "0", "--model", "bundle.tar", code=1)
    assert "is damaged" in done.stderr


def test_folder_that_cannot_be_written_is_an_error(model: Path, tmp_path: Path) -> None:
    (tmp_path / ".trilho").mkdir()
    (tmp_path / ".trilho" / "serving").write_text("in the way", encoding="utf-8")
    done = trilho(tmp_path, "serve", "--port", "0", "--model", str(model), code=1)
    assert "cannot write" in done.stderr


def test_custom_transformer_is_served_without_its_project(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "ratios.py").write_text(
        "from sklearn.base import BaseEstimator, TransformerMixin\n"
        "class Halves(TransformerMixin, BaseEstimator):\n"
        "    def fit(self, rows, y=None):\n"
        "        self.columns_ = list(rows.columns)\n"
        "        return self\n"
        "    def transform(self, rows):\n"
        "        return rows / 2\n",
        encoding="utf-8",
    )
    script = """
import sys; sys.path[:0] = [sys.argv[1], sys.argv[2]]
from pathlib import Path
import ratios
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from unit.bundle.tables import bundled, cancer
frame, truth = cancer()
model = make_pipeline(ratios.Halves(), LogisticRegression(max_iter=5000))
built = bundled(model, frame, truth, Path(sys.argv[3]), code=[Path(sys.argv[1]) / "ratios.py"])
print(built.runtime)
"""
    tests = str(Path(__file__).parents[1])
    command = [sys.executable, "-W", "ignore", "-c", script, str(project), tests, str(tmp_path / "made")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert done.stdout.split() == ["native"], done.stderr
    shutil.rmtree(project)
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(tmp_path / "made" / "bundle.tar", alone)
    refused = trilho(alone, "serve", "--port", "0", "--model", "bundle.tar", code=1)
    assert "trust_code" in refused.stderr
    rows = json.loads(cancer()[0][:2].to_json(orient="split"))
    with serving(alone, "--model", "bundle.tar", "--trust-code") as server:
        status, _, body = server.ask("POST", "/invocations", json.dumps({"dataframe_split": rows}).encode(), JSON)
        assert (status, json.loads(body)["predictions"]) == (200, [0, 0])


def test_plain_mlflow_model_is_converted_once_and_served(tmp_path: Path) -> None:
    import mlflow.sklearn
    from sklearn.linear_model import LogisticRegression

    frame, truth = cancer()
    fitted = LogisticRegression(max_iter=5000).fit(frame, truth)
    folder = tmp_path / "shop" / "artifacts" / "model"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's own, about pandas
        trusted = bundle.vetted_in(fitted)
        example = frame.head(50)
        place = str(folder / "mlflow_model")
        mlflow.sklearn.save_model(fitted, place, input_example=example, skops_trusted_types=trusted)
    rows = {"dataframe_split": json.loads(frame[:3].to_json(orient="split"))}
    wanted = fitted.predict(frame[:3]).tolist()
    for place in ("artifacts/model", "artifacts/model/mlflow_model"):
        with serving(tmp_path / "shop", "--model", place) as server:
            assert (
                json.loads(server.ask("POST", "/invocations", json.dumps(rows).encode(), JSON)[2])["predictions"]
                == wanted
            )
            assert server.health()["model"] == "shop"
    made = list((tmp_path / "shop" / ".trilho" / "serving" / "converted").glob("*.tar"))
    assert len(made) == 1
    assert bundle.read_metadata(made[0])["name"] == "shop"


def test_place_that_holds_no_model_says_what_can_be_named(tmp_path: Path) -> None:
    done = trilho(tmp_path, "serve", "--port", "0", "--model", str(tmp_path), code=1)
    assert "There is no bundle" in done.stderr
    done = trilho(tmp_path, "serve", "--port", "0", code=2)
    assert "no trilho.yaml" in done.stderr


def _refuses(server: Server) -> bool:
    try:
        connected(server).close()
    except ConnectionRefusedError:
        return True
    return False
