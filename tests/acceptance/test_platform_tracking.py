"""The project's own tracking server, real: MLflow's app in our one process, a plain MLflow client on the other end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from conftest import free_port, wait_for
from conftest import stop as stop_process
from small_disk import small_disk
from trilho.errors import ServiceFailed
from trilho.platform import ensure_tracking, status, stop
from trilho.platform.record import read_record
from trilho.platform.service import record_path
from trilho.platform.tracking import NAME, database_path

# A user's script: plain MLflow, no trilho.
LOG_A_RUN = """
import sys, pathlib, tempfile, mlflow
mlflow.set_tracking_uri(sys.argv[1])
mlflow.set_experiment("plain")
with mlflow.start_run() as run:
    mlflow.log_param("depth", 8)
    mlflow.log_metric("f1", 0.5)
    mlflow.log_text("hello " * 100_000, "notes/hello.txt")
print(run.info.run_id)
"""
READ_A_RUN = """
import sys, mlflow, json
mlflow.set_tracking_uri(sys.argv[1])
run = mlflow.get_run(sys.argv[2])
text = mlflow.artifacts.load_text(run.info.artifact_uri + "/notes/hello.txt")
print(json.dumps([run.data.params, run.data.metrics, len(text), run.info.artifact_uri]))
"""

START = [
    sys.executable,
    "-c",
    "import sys; from pathlib import Path; from trilho.platform import ensure_tracking;"
    "print(ensure_tracking(Path(sys.argv[1]), preferred_port=int(sys.argv[2])))",
]


def plain(code: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip().splitlines()[-1]


def until(condition: Callable[[], object], seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def servers_of(state_dir: Path) -> list[int]:
    """Process ids of all tracking servers of one project, however they came about."""
    found = []
    for process in psutil.process_iter():
        try:
            if str(record_path(state_dir, NAME).resolve()) in process.cmdline():
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


@pytest.fixture
def state_dir(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "50% off? #1 & más" / ".trilho"  # a name that would break any address it were put into
    folder.mkdir(parents=True)
    yield folder
    stop(folder, NAME)


def test_plain_mlflow_logs_and_reads_through_it_and_a_kill_loses_nothing(state_dir: Path) -> None:
    address = ensure_tracking(state_dir, preferred_port=free_port())
    run_id = plain(LOG_A_RUN, address)
    expected = [{"depth": "8"}, {"f1": 0.5}, 600_000]
    *found, artifact_uri = json.loads(plain(READ_A_RUN, address, run_id))
    assert found == expected
    assert artifact_uri.startswith("mlflow-artifacts:/"), "no client sees a path of the server"
    assert list(state_dir.glob("mlflow/artifacts/**/hello.txt")), "artifacts are in the project's own folder"

    record = read_record(record_path(state_dir, NAME))
    assert record is not None
    assert record.pid is not None
    killed = psutil.Process(record.pid)
    killed.kill()
    killed.wait(timeout=300)
    assert status(state_dir, NAME).state == "dead"

    assert ensure_tracking(state_dir) == address, "trainings that still run find it where it was"
    assert json.loads(plain(READ_A_RUN, address, run_id))[:3] == expected

    stop(state_dir, NAME)
    assert servers_of(state_dir) == []
    assert status(state_dir, NAME).state == "stopped"
    with closing(sqlite3.connect(database_path(state_dir))) as database:
        assert database.execute("SELECT count(*) FROM runs").fetchone() == (1,)
    wal = database_path(state_dir).with_name("mlflow.db-wal")
    assert not wal.exists() or wal.stat().st_size == 0, "the one file holds everything"


def test_the_whole_page_of_mlflow_is_served_to_this_machine_only(state_dir: Path) -> None:
    address = ensure_tracking(state_dir, preferred_port=free_port())

    def get(path: str, **headers: str) -> tuple[int, bytes]:
        try:
            with urllib.request.urlopen(urllib.request.Request(address + path, headers=headers)) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    code, page = get("/")
    assert code == 200
    script = page.decode().split('src="')[1].split('"')[0]
    assert get("/" + script.lstrip("/"))[0] == 200
    search = "/ajax-api/2.0/mlflow/experiments/search?max_results=1"
    assert get(search)[0] == 200
    port = address.rsplit(":", 1)[1]
    for host in ("localhost", f"localhost:{port}", "127.0.0.1", f"127.0.0.1:{port}"):
        assert get(search, Host=host)[0] == 200, host
    assert get(search, Host=f"evil.example:{port}")[0] == 403
    process = psutil.Process(status(state_dir, NAME).pid)
    assert process.children(recursive=True) == [], "one process"
    assert {connection.laddr.ip for connection in process.net_connections() if connection.status == "LISTEN"} == {
        "127.0.0.1"
    }


def test_plain_mlflow_server_over_the_same_folder_shows_the_same_runs(state_dir: Path) -> None:
    run_id = plain(LOG_A_RUN, ensure_tracking(state_dir, preferred_port=free_port()))
    stop(state_dir, NAME)
    folder = database_path(state_dir).parent
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "./artifacts"]
    environment = {**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    log = folder / "plain.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, stdout=out, stderr=out, env=environment)
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, log)
        found = json.loads(plain(READ_A_RUN, f"http://127.0.0.1:{port}", run_id))
    finally:
        stop_process(process)
    assert found[:3] == [{"depth": "8"}, {"f1": 0.5}, 600_000]


def test_foreground_server_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "trilho.platform.tracking_process", "--port", str(port)]
    command += ["--backend-store-uri", "sqlite:///team.db", "--artifacts-destination", "./files"]
    command += ["--allowed-hosts", "mlflow,mlflow:*,127.0.0.1:*"]
    log = tmp_path / "server.log"
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=tmp_path, stdout=out, stderr=out, env=dict(os.environ))
    try:
        wait_for(f"http://127.0.0.1:{port}/health", process, log)
        assert plain(LOG_A_RUN, f"http://127.0.0.1:{port}")
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/version", headers={"Host": f"mlflow:{port}"})
        with urllib.request.urlopen(asked) as answer:
            assert answer.status == 200
        second = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert second.returncode == 1
        assert second.stderr.splitlines() == [
            f"MLflow's server cannot listen on 127.0.0.1:{port}. Nothing was started.",
            "Another program listens there.",
            "Stop that program, or choose another port: --port 5001",
        ]
        if os.name == "posix":
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=300) == 0
            assert "Traceback" not in log.read_text(encoding="utf-8")
    finally:
        stop_process(process)
    assert (tmp_path / "team.db").exists()
    assert list(tmp_path.glob("files/**/hello.txt"))


def test_two_starts_at_once_make_one_server(state_dir: Path) -> None:
    port = free_port()
    command = [*START, str(state_dir), str(port)]
    starters = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert {starter.communicate()[0].strip() for starter in starters} == {f"http://127.0.0.1:{port}"}
    assert len(servers_of(state_dir)) == 1


def test_projects_that_start_on_the_same_port_at_once_get_one_each(state_dir: Path, tmp_path: Path) -> None:
    port = free_port()
    folders = [state_dir, tmp_path / "other" / ".trilho"]
    starters = [
        subprocess.Popen([*START, str(folder), str(port)], stdout=subprocess.PIPE, text=True) for folder in folders
    ]
    try:
        addresses = [starter.communicate()[0].strip() for starter in starters]
        assert len(set(addresses)) == 2
        for folder, address in zip(folders, addresses, strict=True):
            assert status(folder, NAME).address == address
            assert status(folder, NAME).state == "running"
    finally:
        stop(folders[1], NAME)


def test_projects_that_want_the_same_port_do_not_mix(state_dir: Path, tmp_path: Path) -> None:
    port = free_port()
    other = tmp_path / "other" / ".trilho"
    first = ensure_tracking(state_dir, preferred_port=port)
    try:
        second = ensure_tracking(other, preferred_port=port)
        assert first != second
        run_id = plain(LOG_A_RUN, first)
        with closing(sqlite3.connect(database_path(other))) as database:
            assert database.execute("SELECT count(*) FROM runs").fetchone() == (0,)
        stop(state_dir, NAME)
        assert ensure_tracking(other, preferred_port=port) == second, "the other one is not disturbed"
        assert ensure_tracking(state_dir, preferred_port=port) == first
        assert json.loads(plain(READ_A_RUN, first, run_id))[1] == {"f1": 0.5}
    finally:
        stop(other, NAME)


def test_killed_while_its_database_was_made_it_makes_it_anew(state_dir: Path) -> None:
    starting = threading.Thread(target=_start_and_be_killed, args=(state_dir,))
    starting.start()
    half_made = database_path(state_dir).with_name("mlflow.db.new")
    until(half_made.exists)
    for pid in servers_of(state_dir):
        psutil.Process(pid).kill()
    starting.join()
    assert not database_path(state_dir).exists()
    address = ensure_tracking(state_dir, preferred_port=free_port())
    assert plain(LOG_A_RUN, address)


def _start_and_be_killed(state_dir: Path) -> None:
    with pytest.raises(ServiceFailed):
        ensure_tracking(state_dir, preferred_port=free_port())


def test_server_of_a_deleted_project_ends_itself(state_dir: Path) -> None:
    ensure_tracking(state_dir, preferred_port=free_port())
    (pid,) = servers_of(state_dir)
    shutil.rmtree(state_dir)
    until(lambda: not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)


OLDER = """
import os, sys, sqlalchemy
from alembic import command
from mlflow.store.db.utils import _get_alembic_config
from mlflow.store.tracking.dbmodels.initial_models import Base
os.chdir(sys.argv[1])
uri = "sqlite:///mlflow.db"
Base.metadata.create_all(sqlalchemy.create_engine(uri))
command.upgrade(_get_alembic_config(uri), sys.argv[2])
print("made")
"""


def test_older_database_is_served_after_following_the_message_to_the_letter(state_dir: Path) -> None:
    from trilho.platform.database import known_revisions

    known = known_revisions()
    (newest,) = set(known) - set(known.values())
    older = known[newest]
    assert older is not None
    path = database_path(state_dir)
    path.parent.mkdir()
    plain(OLDER, str(path.parent), older)
    before = path.read_bytes()
    with pytest.raises(ServiceFailed) as caught:
        ensure_tracking(state_dir, preferred_port=free_port())
    assert "older MLflow" in caught.value.what
    assert path.read_bytes() == before
    assert servers_of(state_dir) == []
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])}
    lines = " && ".join(line.strip() for line in caught.value.remedy.splitlines()[1:])
    subprocess.run(lines, shell=True, check=True, env=environment, capture_output=True)
    assert path.with_name("mlflow.db.bak").read_bytes() == before
    assert plain(LOG_A_RUN, ensure_tracking(state_dir, preferred_port=free_port()))


def test_newer_or_damaged_database_is_refused_with_the_way_out(state_dir: Path) -> None:
    path = database_path(state_dir)
    path.parent.mkdir()
    path.write_bytes(b"not a database " * 1000)
    with pytest.raises(ServiceFailed, match="damaged"):
        ensure_tracking(state_dir)
    path.unlink()
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('ffffffffffff')")
        database.commit()
    with pytest.raises(ServiceFailed, match=r"newer MLflow[\s\S]*pip install --upgrade mlflow"):
        ensure_tracking(state_dir)
    assert servers_of(state_dir) == []


def test_damage_that_only_mlflow_meets_is_explained_from_its_log(state_dir: Path) -> None:
    ensure_tracking(state_dir, preferred_port=free_port())
    stop(state_dir, NAME)
    path = database_path(state_dir)
    content = bytearray(path.read_bytes())
    with closing(sqlite3.connect(path)) as database:
        (size,) = database.execute("PRAGMA page_size").fetchone()
        (root,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'experiments'").fetchone()
    content[(root - 1) * size : root * size] = b"\xff" * size
    path.write_bytes(content)
    with pytest.raises(ServiceFailed) as caught:
        ensure_tracking(state_dir, preferred_port=free_port())
    assert "damaged" in caught.value.what
    assert "malformed" in caught.value.why
    assert servers_of(state_dir) == []


def test_full_disk_is_named(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", "size=300k") as small:
        with pytest.raises(ServiceFailed, match="disk is full"):
            ensure_tracking(small / ".trilho", preferred_port=free_port())
        assert servers_of(small / ".trilho") == []


def test_read_only_folder_is_named(tmp_path: Path) -> None:
    with small_disk(tmp_path / "fixed", "ro") as folder:
        with pytest.raises(ServiceFailed) as caught:
            ensure_tracking(folder / ".trilho")
        assert str(folder / ".trilho") in caught.value.what
        assert "writable" in caught.value.remedy


def test_settings_have_the_names_that_mlflow_reads() -> None:
    code = """
import json, mlflow.environment_variables as public
from mlflow.server import constants
print(json.dumps([v for k, v in vars(constants).items() if k.endswith("ENV_VAR")]
                 + [v.name for v in vars(public).values() if isinstance(getattr(v, "name", None), str)]))
"""
    from trilho.platform.tracking_process import _settings

    assert set(_settings("sqlite:///x", "./x", "localhost")) <= set(json.loads(plain(code)))
