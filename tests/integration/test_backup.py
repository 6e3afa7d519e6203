"""Backup and restore over SQLite and a folder: while clients write, on full disks, through kills and damage."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from backups import Writers, at, go_on, log_runs, look, script, small_backup
from command_line import environment, trilho, trilho_json
from conftest import start_mlflow, stop
from small_disk import small_disk

# A user's script without a server: artifact locations are paths of this machine.
_WITHOUT_A_SERVER = """
import sys, warnings
warnings.simplefilter("ignore")
import mlflow
mlflow.set_tracking_uri("sqlite:///" + sys.argv[1] + "/old.db")
mlflow.create_experiment("paths", artifact_location=sys.argv[1] + "/mlruns/1")
mlflow.set_experiment("paths")
with mlflow.start_run() as run:
    mlflow.log_text("found", "notes.txt")
print(run.info.run_id)
"""
_READ = """
import sys, mlflow
mlflow.set_tracking_uri(sys.argv[1])
run = mlflow.get_run(sys.argv[2])
print(run.info.artifact_uri.partition(":")[0], mlflow.artifacts.load_text(run.info.artifact_uri + "/notes.txt"))
"""


_DIES_IN_A_RESTORE = """
import os, runpy, signal
from trilho.platform.backup.folder import Folder
write = Folder.write
def write_and_die(self, path, *rest):
    write(self, path, *rest)
    os.kill(os.getpid(), signal.SIGKILL)
Folder.write = write_and_die
runpy.run_module("trilho.cli", run_name="__main__")
"""


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_backup(tmp_path_factory.mktemp("small"))


@pytest.mark.slow
def test_a_backup_made_while_eight_clients_write_is_whole(tmp_path: Path) -> None:
    process, address = start_mlflow(tmp_path)
    try:
        with Writers(address) as writers:
            writers.wait_for(40)
            before = set(writers.done)
            saved = trilho_json(tmp_path, "backup", "busy.tar.zst", **at(tmp_path))
            writers.wait_for(len(writers.done) + 8)  # they went on
    finally:
        stop(process)
    assert writers.failed == [], "nobody was held up"
    other = tmp_path / "other"
    trilho(tmp_path, "restore", "busy.tar.zst", **at(other))
    with closing(sqlite3.connect(other / "mlflow.db")) as database:
        named = database.execute("SELECT run_uuid, value FROM params WHERE key = 'made'").fetchall()
        points = dict(database.execute("SELECT run_uuid, COUNT(*) FROM metrics GROUP BY run_uuid").fetchall())
    assert before <= {run for run, _ in named}, "what was logged before the backup began is in it"
    assert [run for run, path in named if (other / "artifacts" / path).read_text() != run] == []
    assert {points[run] for run, _ in named} == {50}
    assert saved["manifest"]["counts"]["artifacts"] >= len(named)
    assert set(saved["manifest"]["later"]) <= {
        path.relative_to(other / "artifacts").as_posix() for path in files(other)
    }


@pytest.mark.slow
def test_everything_comes_back_to_another_folder(tmp_path: Path) -> None:
    process, address = start_mlflow(tmp_path)
    try:
        log_runs(address)
        seen = look(address)
        trilho(tmp_path, "backup", "all.tar.zst", **at(tmp_path))
    finally:
        stop(process)
    other = tmp_path / "other"
    done = trilho_json(tmp_path, "restore", "all.tar.zst", **at(other))
    assert done["found"] == done["manifest"]["counts"]
    process, address = start_mlflow(other)
    try:
        assert look(address) == seen
        go_on(address)
    finally:
        stop(process)


def test_locations_that_are_paths_are_shown_and_put_behind_the_server(tmp_path: Path) -> None:
    run = script(_WITHOUT_A_SERVER, str(tmp_path)).splitlines()[-1]
    told = at(tmp_path, database="old.db")
    trilho(tmp_path, "backup", "paths.tar.zst", **told)
    (tmp_path / "mlruns").rename(tmp_path / "gone")
    other = tmp_path / "other"
    done = trilho(tmp_path, "restore", "paths.tar.zst", **at(other))
    assert f"{tmp_path}/mlruns/1 → mlflow-artifacts:/1" in done.stdout
    process, address = start_mlflow(other)
    try:
        assert script(_READ, address, run).splitlines()[-1] == "mlflow-artifacts found"
    finally:
        stop(process)


def test_a_backup_overwrites_nothing(backup: Path, tmp_path: Path) -> None:
    before = backup.read_bytes()
    done = trilho(tmp_path, "backup", str(backup), code=1, **at(backup.parent))
    assert "exists already. It was not touched." in done.stderr
    assert backup.read_bytes() == before


def test_a_full_disk_leaves_no_half_backup(backup: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=4m") as disk:
        done = trilho(tmp_path, "backup", str(disk / "new.tar.zst"), code=1, **at(backup.parent))
        assert "No space left on device" in done.stderr
        assert "Free some disk space" in done.stderr
        assert list(disk.iterdir()) == []


def test_a_restore_onto_a_full_disk_goes_on_when_there_is_room(backup: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "size=12m") as disk:
        filled = disk / "filled"
        filled.write_bytes(bytes(6_000_000))
        told = at(disk / "team")
        done = trilho(tmp_path, "restore", str(backup), code=1, **told)
        assert "No space left on device" in done.stderr
        assert "It may be half done: start no server on it; the same command goes on." in done.stderr
        assert not (disk / "team" / "mlflow.db").exists(), "no row without its artifacts"
        filled.unlink()
        again = trilho_json(tmp_path, "restore", str(backup), **told)
        assert again["resumes"] is True
        assert again["found"] == again["manifest"]["counts"]


def test_a_killed_restore_is_finished_by_the_same_command(backup: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    died = subprocess.run(
        [sys.executable, "-c", _DIES_IN_A_RESTORE, "restore", str(backup)],
        env=environment(**at(other)),
        capture_output=True,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr
    assert (other / "artifacts" / "1").exists()
    assert not (other / "mlflow.db").exists(), "the database comes last"

    half = trilho(tmp_path, "backup", "half.tar.zst", code=1, **at(other))
    assert "was begun and not finished" in half.stderr
    again = trilho(tmp_path, "restore", str(backup), **at(other))
    assert "a restore of this backup that was interrupted" in again.stdout
    assert "artifacts    41        in the backup, 41 now" in again.stdout
    trilho(tmp_path, "backup", "whole.tar.zst", **at(other))


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is measured as Linux counts it")
def test_memory_does_not_grow_with_the_artifacts(backup: Path, tmp_path: Path) -> None:
    trilho(tmp_path, "restore", str(backup), **at(tmp_path / "small"))
    trilho(tmp_path, "restore", str(backup), **at(tmp_path / "large"))
    with (tmp_path / "large" / "artifacts" / "large.bin").open("wb") as file:
        file.truncate(400_000_000)
    used = {}
    for size in ("small", "large"):
        saved = peak_memory("backup", f"{tmp_path}/{size}.tar.zst", **at(tmp_path / size))
        put_back = peak_memory("restore", f"{tmp_path}/{size}.tar.zst", **at(tmp_path / f"{size} again"))
        used[size] = max(saved, put_back)
    assert (tmp_path / "large again" / "artifacts" / "large.bin").stat().st_size == 400_000_000
    assert used["large"] < used["small"] + 60_000_000, used


def peak_memory(*words: str, **told: str) -> int:
    """Bytes resident at most while `trilho WORDS` runs."""
    code = "import atexit, resource, runpy\n"
    code += "atexit.register(lambda: print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))\n"
    code += "runpy.run_module('trilho.cli', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=environment(**told), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout.splitlines()[-1]) * 1024


def test_force_keeps_what_was_there(backup: Path, tmp_path: Path) -> None:
    copy = tmp_path / backup.name
    copy.write_bytes(backup.read_bytes())
    other = tmp_path / "other"
    trilho(tmp_path, "restore", copy.name, **at(other))
    extra = other / "artifacts" / "0" / "later" / "artifacts" / "new.txt"
    extra.parent.mkdir(parents=True)
    extra.write_text("new", encoding="utf-8")
    with closing(sqlite3.connect(other / "mlflow.db")) as database, database:
        database.execute("UPDATE runs SET name = 'changed'")

    refusal = trilho(tmp_path, "restore", copy.name, code=1, **at(other))
    assert "hold 41 runs" in refusal.stderr
    done = trilho_json(tmp_path, "restore", copy.name, "--force", **at(other))
    assert extra.exists(), "artifacts are never deleted"
    assert names(other) != {"changed"}
    assert done["before"]["manifest"]["counts"]["artifacts"] == 42
    trilho(tmp_path, "restore", done["before"]["file"], "--force", **at(other))
    assert names(other) == {"changed"}


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / "artifacts").rglob("*") if path.is_file()]


def names(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        return {row[0] for row in database.execute("SELECT name FROM runs")}
