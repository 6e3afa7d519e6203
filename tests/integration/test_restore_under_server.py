"""A restore never takes the database from under a server that runs: those named by flag or environment, too."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from backups import at, small_backup
from command_line import environment, trilho
from team_server import refusal, serving
from trilho.platform.backup.folder import Folder
from trilho.platform.backup.unfinished import Unfinished
from trilho.platform.backup.unfinished import begin as begin_restore
from trilho.wire import connect

# What a server does once, inside the lock under which it makes its tables.
_SERVE = """
import sys, os
from trilho.platform.database_address import parse_database
from trilho.platform.migrating import alone
from trilho.platform.serving_lock import serve
os.chdir(sys.argv[1])
address = parse_database(sys.argv[2])
with alone(address):
    serve(address)
print("serves", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_backup(tmp_path_factory.mktemp("small"))


def test_a_restore_under_two_servers_is_refused_until_both_are_gone(backup: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    trilho(tmp_path, "restore", str(backup), **at(other))
    copy = tmp_path / backup.name
    copy.write_bytes(backup.read_bytes())
    before = (other / "mlflow.db").stat().st_ino
    with server(other, "sqlite:///mlflow.db") as one, server(other, f"sqlite:///{other}/mlflow.db") as two:
        refused = trilho(tmp_path, "restore", copy.name, "--force", code=1, **at(other))
        assert "is in use. Nothing was changed." in refused.stderr
        one.kill()
        one.wait(300)
        assert "is in use" in trilho(tmp_path, "restore", copy.name, "--force", code=1, **at(other)).stderr
        assert (other / "mlflow.db").stat().st_ino == before
        two.kill()
        two.wait(300)
    trilho(tmp_path, "restore", copy.name, "--force", **at(other))
    assert list(other.glob("mlflow.db.server-*")) == [], "nothing is left of servers that were killed"


def test_a_dry_run_disturbs_no_server(backup: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    with server(other, "sqlite:///mlflow.db"):
        assert "can be restored" in trilho(tmp_path, "restore", str(backup), "--dry-run", **at(other)).stdout


@contextmanager
def server(folder: Path, uri: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(folder), uri],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "serves\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_a_real_server_keeps_its_database_and_does_not_start_over_half_a_restore(backup: Path, tmp_path: Path) -> None:
    trilho(tmp_path, "restore", str(backup), **at(tmp_path))
    copy = tmp_path / backup.name
    copy.write_bytes(backup.read_bytes())
    with serving(f"sqlite:///{(tmp_path / 'mlflow.db').as_posix()}", str(tmp_path / "artifacts")) as running:
        refused = trilho(tmp_path, "restore", copy.name, "--force", code=1, **at(tmp_path))
        assert "A tracking server runs over it." in refused.stderr
        with connect(running.address) as client:
            client.post("runs/create", {"experiment_id": "0"})
    begin_restore(Folder(tmp_path / "artifacts"), Unfinished(backup=copy.name, sha256="", replaces=True))
    said = refusal(tmp_path, f"sqlite:///{(tmp_path / 'mlflow.db').as_posix()}", str(tmp_path / "artifacts"))
    assert f"A restore of {copy.name}" in said
    assert "Run the same trilho restore again" in said
