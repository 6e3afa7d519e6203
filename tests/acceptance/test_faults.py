"""What can die, dies here: no run is lost, nothing half-made is kept, and the message says what to do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from command_line import environment, trilho, trilho_json, write_project
from conftest import start_mlflow, stop
from small_disk import change_disk, small_disk
from trilho.wire import connect

STEPS = ("ingest", "split", "transform", "train", "evaluate", "register")

# A user's function for every step; each dies of SIGKILL while the file "die-STEP" exists.
FAULTY = """
import os, pathlib, signal
import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

def perhaps_die(step):
    if pathlib.Path(f"die-{step}").exists():
        os.kill(os.getpid(), signal.SIGKILL)
    for action in pathlib.Path(".").glob(f"at-{step}-*"):
        _, _, name, pid = action.name.split("-")
        os.kill(int(pid), getattr(signal, name))
        action.unlink()

def ingest():
    perhaps_die("ingest")
    return load_breast_cancer(as_frame=True).frame

def split(frame):
    perhaps_die("split")
    return np.arange(len(frame)) % 5 == 0

class transform(StandardScaler):
    def fit(self, X, y=None, sample_weight=None):
        perhaps_die("transform")
        return super().fit(X, y, sample_weight)

def train(X, y, **params):
    perhaps_die("train")
    return LogisticRegression(**params).fit(X, y)

def evaluate(model, frame, truth):
    perhaps_die("evaluate")
    return {"mine": 0.5}

def register(folder, metrics):
    perhaps_die("register")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    steps = {step: f"faulty:{step}" for step in STEPS if step != "transform"}
    name = f"faulty-{uuid4().hex[:8]}"
    settings = {"steps": steps, "transform": {"using": "standard_scaler"}}
    folder = write_project(tmp_path / "project", name, settings)
    (folder / "faulty.py").write_text(FAULTY, encoding="utf-8")
    return folder


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """A server that a test may kill or stop."""
    (tmp_path / "server").mkdir()
    process, address = start_mlflow(tmp_path / "server")
    yield process, address
    stop(process)


def runs_of(server: str, project: Path) -> list[dict[str, object]]:
    name = (project / "trilho.yaml").read_text(encoding="utf-8").splitlines()[0].removeprefix("name: ")
    with connect(server) as client:
        experiment = client.get("experiments/get-by-name", {"experiment_name": name})["experiment"]
        return list(client.post("runs/search", {"experiment_ids": [experiment["experiment_id"]]}).get("runs", []))


def family_of(process: subprocess.Popen[bytes]) -> list[int]:
    """The server's process and those it started."""
    return [process.pid, *(child.pid for child in psutil.Process(process.pid).children(recursive=True))]


def statuses(server: str, project: Path) -> list[str]:
    return sorted(run["info"]["status"] for run in runs_of(server, project))  # type: ignore[index]


@pytest.mark.parametrize("step", [step for step in STEPS if step != "transform"])
def test_kill_9_in_a_step_loses_no_run_and_leaves_no_half_entry(project: Path, mlflow_server: str, step: str) -> None:
    (project / f"die-{step}").touch()
    trilho(project, "run", server=mlflow_server, code=-9)
    (project / f"die-{step}").unlink()
    done = trilho_json(project, "run", server=mlflow_server)
    assert done["champion"]["version"] == 1
    ran = {found["step"]: found["status"] for found in done["steps"]}
    kept = STEPS[1 : STEPS.index(step)]  # ingest is a function: only reading tells whether it changed
    assert {name: ran[name] for name in kept} == dict.fromkeys(kept, "reused")
    # The run that was being recorded arrives as killed; a death before anything was tried leaves none.
    assert statuses(mlflow_server, project) == (["FINISHED"] if step in ("ingest", "split") else ["FINISHED", "KILLED"])
    leftovers = [path.name for path in (project / ".trilho" / "cache").glob("*/.making-*")]
    assert leftovers == [], "what a killed run was making is cleared away by the next"
    assert list((project / ".trilho" / "spool").glob("[!.]*/run.json")) == []


def test_server_killed_during_training_fails_nothing_and_sync_sends_it_once(
    project: Path, own_server: tuple[subprocess.Popen[bytes], str], tmp_path: Path
) -> None:
    process, address = own_server
    for pid in family_of(process):
        (project / f"at-train-SIGKILL-{pid}").touch()
    done = trilho(project, "run", server=address)
    assert "does not answer" in done.stderr
    assert "not judged yet" in done.stdout
    process.wait(timeout=300)
    again, address = start_mlflow(tmp_path / "server", port=int(address.rpartition(":")[2]))
    try:
        synced = trilho_json(project, "sync", server=address)
        assert synced["sent"] == 1
        assert [item["decision"] for item in synced["judged"]] == ["promoted"]
        assert statuses(address, project) == ["FINISHED"], "the run that was begun before the kill is the one that ends"
        assert trilho_json(project, "sync", server=address)["sent"] == 0
    finally:
        stop(again)


@pytest.mark.skipif(not hasattr(signal, "SIGSTOP"), reason="needs SIGSTOP (Linux or macOS)")
def test_server_that_hangs_does_not_hang_the_training(
    project: Path, own_server: tuple[subprocess.Popen[bytes], str]
) -> None:
    process, address = own_server
    for pid in family_of(process):
        (project / f"at-train-SIGSTOP-{pid}").touch()
    done = trilho(project, "run", server=address)
    assert "not judged yet" in done.stdout
    for pid in family_of(process):
        os.kill(pid, signal.SIGCONT)
    assert trilho_json(project, "sync", server=address)["judged"][0]["decision"] == "promoted"
    assert statuses(address, project) == ["FINISHED"]


class Login(BaseHTTPRequestHandler):
    """A proxy that sends everybody to its login."""

    def do_GET(self) -> None:
        self.send_response(302)
        self.send_header("Location", "http://login.invalid/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_GET  # noqa: N815 - the names are http.server's

    def log_message(self, *_: object) -> None:
        pass


def test_a_proxy_that_asks_for_a_login_costs_no_training_and_is_no_empty_history(
    project: Path, mlflow_server: str
) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), Login) as proxy:
        threading.Thread(target=proxy.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{proxy.server_port}"
        done = trilho(project, "run", server=address)
        assert "asks for a login" in done.stderr
        assert "not judged yet" in done.stdout
        assert "asks for a login" in trilho(project, "history", server=address, code=1).stderr
        proxy.shutdown()
    assert trilho_json(project, "sync", server=mlflow_server)["sent"] == 1


def test_no_server_at_all_trains_and_says_what_waits(project: Path, mlflow_server: str) -> None:
    done = trilho(project, "run", server="http://127.0.0.1:9")
    assert "not judged yet" in done.stdout
    assert "trilho sync" in done.stdout
    status = trilho_json(project, "status", server="http://127.0.0.1:9")
    assert status["waiting"] == 1
    again = trilho_json(project, "run", server="http://127.0.0.1:9")
    assert again["steps"][-1]["status"] == "reused", "a run that waits in the spool is not made twice"
    later = trilho_json(project, "run", server=mlflow_server)
    assert later["champion"]["version"] == 1
    assert statuses(mlflow_server, project) == ["FINISHED"]


def test_failing_function_is_named_and_its_run_is_recorded_as_failed(project: Path, mlflow_server: str) -> None:
    with (project / "faulty.py").open("a", encoding="utf-8") as code:
        code.write("\ndef train(X, y, **params):\n    raise ValueError('no luck today')\n")
    done = trilho(project, "run", server=mlflow_server, code=1)
    assert "faulty:train" in done.stderr
    assert "no luck today" in done.stderr
    trilho(project, "sync", server=mlflow_server)
    assert statuses(mlflow_server, project) == ["FAILED"]


def test_interrupted_run_leaves_nothing_half_written(project: Path, mlflow_server: str) -> None:
    (project / "faulty.py").write_text(
        FAULTY.replace('perhaps_die("train")', 'pathlib.Path("training").touch(); import time; time.sleep(900)'),
        encoding="utf-8",
    )
    run = subprocess.Popen(
        [sys.executable, "-m", "trilho.cli", "run"], cwd=project, env=environment(mlflow_server),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while not (project / "training").exists() and time.monotonic() < deadline and run.poll() is None:
        time.sleep(0.05)
    run.send_signal(signal.SIGINT)
    _, err = run.communicate(timeout=300)
    assert run.returncode == 130, err
    assert "trilho run goes on" in err
    assert list((project / ".trilho" / "cache" / "train").glob("*")) == []
    (project / "faulty.py").write_text(FAULTY, encoding="utf-8")
    assert trilho_json(project, "run", server=mlflow_server)["champion"]["version"] == 1
    assert statuses(mlflow_server, project) == ["FINISHED", "KILLED"]


def test_two_runs_at_once_make_one_version(project: Path, mlflow_server: str) -> None:
    command = [sys.executable, "-m", "trilho.cli", "run", "--json"]
    started = [
        subprocess.Popen(
            command,
            cwd=project,
            env=environment(mlflow_server),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    ends = [process.communicate(timeout=300) for process in started]
    assert [process.returncode for process in started] == [0, 0], [end[1] for end in ends]
    assert trilho_json(project, "run", server=mlflow_server)["champion"]["version"] == 1
    with connect(mlflow_server) as client:
        name = (project / "trilho.yaml").read_text(encoding="utf-8").splitlines()[0].removeprefix("name: ")
        found = client.get("model-versions/search", {"filter": f"name='{name}'"})["model_versions"]
    assert len(found) == 1


def test_cache_entry_cut_in_half_is_made_again_and_reported(project: Path, mlflow_server: str) -> None:
    trilho(project, "run", server=mlflow_server)
    (model,) = (project / ".trilho" / "cache" / "train").glob("*/model.joblib")
    os.truncate(model, model.stat().st_size // 2)
    done = trilho_json(project, "run", server=mlflow_server)
    train = next(found for found in done["steps"] if found["step"] == "train")
    assert train["status"] == "ran"
    assert "damaged (model.joblib was altered)" in train["reason"]
    assert done["champion"]["version"] == 1


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "small", "size=3m") as place:
        yield place


def test_full_disk_says_so_and_the_next_run_goes_on(disk: Path, mlflow_server: str) -> None:
    name = f"full-{uuid4().hex[:8]}"
    forest = {"estimator": "sklearn.ensemble.RandomForestClassifier", "params": {"n_estimators": 400}}
    project = write_project(disk / "project", name, {"train": forest})
    done = trilho(project, "run", server=mlflow_server, code=1)
    assert "No space left on device" in done.stderr
    assert "Free some disk space" in done.stderr
    change_disk(disk, "size=200m")
    again = trilho_json(project, "run", server=mlflow_server)
    assert again["champion"]["version"] == 1
    assert statuses(mlflow_server, project)[0] in ("FAILED", "FINISHED")


def test_read_only_folder_says_so(disk: Path, mlflow_server: str) -> None:
    project = write_project(disk / "project", f"readonly-{uuid4().hex[:8]}", {})
    change_disk(disk, "ro")
    done = trilho(project, "run", server=mlflow_server, code=1)
    assert "Read-only file system" in done.stderr
    assert "Traceback" not in done.stderr
