"""up, down, ps, logs, ui as a person types them, in processes of their own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from conftest import free_port
from trilho.platform import stop

PROJECT = f"""
name: churn
serve: {{port: {free_port()}}}
task: classification
target: churned
data: {{source: "sklearn:breast_cancer"}}
train: {{estimator: sklearn.linear_model.LogisticRegression}}
evaluate: {{metrics: [f1]}}
primary_metric: f1
register: {{name: churn}}
profiles:
  local: {{}}
  team: {{tracking_uri: "http://127.0.0.1:1"}}
"""
TRILHO = [sys.executable, "-c", "from trilho.cli.main import main; main()"]


def trilho(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TRILHO, *arguments], cwd=folder, capture_output=True, text=True, check=False)


def facts(folder: Path, *arguments: str) -> list[dict[str, object]]:
    done = trilho(folder, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    services: list[dict[str, object]] = json.loads(done.stdout)["services"]
    return services


def lives(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE  # an init that does not reap leaves those behind
    except psutil.NoSuchProcess:
        return False


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "trilho.yaml").write_text(PROJECT, encoding="utf-8")
    (tmp_path / "notebooks").mkdir()
    yield tmp_path
    for name in ("monitor", "serving", "tracking"):
        stop(tmp_path / ".trilho", name)


def test_a_day_with_the_platform(project: Path) -> None:
    port = free_port()
    up = trilho(project, "up", "--port", str(port))
    assert up.returncode == 0, up.stderr
    address = f"http://127.0.0.1:{port}"
    assert address in up.stdout
    assert "trilho down" in up.stdout, "it says how to stop it"
    assert str(project / ".trilho" / "mlflow") in up.stdout, "it says where the data is"
    assert "Starting tracking" in up.stderr
    assert "Starting tracking" not in up.stdout

    first, model_server, watcher = facts(project, "up")
    assert [first["name"], model_server["name"], watcher["name"]] == ["tracking", "serving", "monitor"]
    assert first["already_running"] is model_server["already_running"] is watcher["already_running"] is True
    assert first["address"] == address
    shown = facts(project / "notebooks", "ps")
    assert [each["state"] for each in shown] == ["running"] * 3
    assert [each["pid"] for each in shown] == [first["pid"], model_server["pid"], watcher["pid"]]
    assert "running" in trilho(project, "ps").stdout

    assert trilho(project, "ui").stdout.strip() == address, "nothing but the address where nobody looks"
    log = trilho(project, "logs", "tracking", "-n", "3")
    assert len(log.stdout.splitlines()) == 3
    assert "startup complete" in log.stdout

    pid = int(str(first["pid"]))
    psutil.Process(pid).kill()
    while lives(pid):
        time.sleep(0.01)
    dead = trilho(project, "ps").stdout
    assert "dead" in dead
    assert "trilho up" in dead
    again, still, _ = facts(project, "up")
    assert still["pid"] == model_server["pid"], "the model server outlives the registry"
    assert again["address"] == address
    assert again["pid"] != pid

    down = trilho(project, "down")
    assert "stopped" in down.stdout
    assert not lives(int(str(again["pid"])))
    assert not lives(int(str(model_server["pid"])))
    assert not lives(int(str(watcher["pid"])))
    assert [each["state"] for each in facts(project, "ps")] == ["stopped"] * 3
    stopped = [{"name": name, "stopped": False} for name in ("tracking", "serving", "monitor")]
    assert facts(project, "down") == stopped


def test_two_ups_at_once_start_one_server(project: Path) -> None:
    command = [*TRILHO, "up", "--json"]
    both = [subprocess.Popen(command, cwd=project, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    answers = [json.loads(process.communicate()[0])["services"][0] for process in both]
    assert answers[0]["pid"] == answers[1]["pid"]
    assert sorted(answer["already_running"] for answer in answers) in ([False, True], [False, False])


def test_unknown_service_is_wrong_usage_and_the_near_name_is_given(project: Path) -> None:
    for verb in ("down", "logs"):
        done = trilho(project, verb, "traking")
        assert done.returncode == 2
        assert "Did you mean 'tracking'?" in done.stderr
        assert "Traceback" not in done.stderr


def test_profile_with_a_server_elsewhere_starts_the_model_server_alone(project: Path) -> None:
    up = trilho(project, "up", "--profile", "team", "--set", "serve.workers=2")
    assert up.returncode == 0, up.stderr
    assert "http://127.0.0.1:1" in up.stdout
    assert "http://127.0.0.1:1" in trilho(project, "ps", "--profile", "team").stdout
    started, watcher = facts(project, "ps", "--profile", "team")
    assert (watcher["name"], watcher["state"]) == ("monitor", "running")
    assert (started["name"], started["state"]) == ("serving", "running")
    server = psutil.Process(int(str(started["pid"])))
    assert len(server.children()) == 2, "it has what the flag said"
    assert "Waiting    for models:/churn@champion" in trilho(project, "logs", "serving").stdout
    assert trilho(project, "ui", "-p", "team").stdout.strip() == "http://127.0.0.1:1"
    assert not (project / ".trilho" / "mlflow").exists()


def test_model_server_and_watcher_of_a_deleted_project_end_themselves(project: Path) -> None:
    _, server, watcher = facts(project, "up")
    shutil.rmtree(project / ".trilho" / "services")
    deadline = time.monotonic() + 60
    for started in (server, watcher):
        while lives(int(str(started["pid"]))) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not lives(int(str(started["pid"])))


def test_one_service_is_started_alone(project: Path) -> None:
    (started,) = facts(project, "up", "serving")
    assert started["name"] == "serving"
    states = [each["state"] for each in facts(project, "ps")]
    assert states == ["running", "running", "stopped"], "it needs the registry once"
    facts(project, "down", "tracking")
    shown = trilho(project, "status").stdout
    assert "not running: trilho up" in shown, "the model server is not taken for the tracking server"
    wrong = trilho(project, "up", "servin")
    assert wrong.returncode == 2
    assert "Did you mean 'serving'?" in wrong.stderr


def test_failed_start_ends_with_1_and_says_why_and_what_to_do(project: Path) -> None:
    (project / ".trilho" / "mlflow").mkdir(parents=True)
    (project / ".trilho" / "mlflow" / "mlflow.db").write_bytes(b"no database " * 1000)
    done = trilho(project, "up")
    assert done.returncode == 1
    assert "damaged" in done.stderr
    assert "mlflow.db.damaged" in done.stderr, "the way out"
    assert done.stdout == ""


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_following_a_log_ends_quietly_on_interrupt(project: Path) -> None:
    log = project / ".trilho" / "logs" / "tracking.log"
    log.parent.mkdir(parents=True)
    log.write_text("old line\n", encoding="utf-8")
    with subprocess.Popen(
        [*TRILHO, "logs", "-f"], cwd=project, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "old line\n"
        while not (line := _next_line(process, log)):
            pass
        assert line == "new line\n"
        process.send_signal(signal.SIGINT)
        _, shown = process.communicate()
    assert process.returncode == 0
    assert shown == ""


def _next_line(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    with log.open("a", encoding="utf-8") as out:  # again and again: it may not have begun to follow
        out.write("new line\n")
    time.sleep(0.3)
    os.set_blocking(process.stdout.fileno(), False)
    try:
        return process.stdout.readline()
    finally:
        os.set_blocking(process.stdout.fileno(), True)
