"""Backup and restore over SQLite and a folder: while clients write, on full disks, through kills and damage."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import tarfile
import time
from contextlib import closing
from io import BytesIO
from pathlib import Path

import pyarrow
import pytest

from backups import Writers, files_of, go_on, log_runs, look, script, small_disk
from command_line import environment, trilho, trilho_json
from conftest import start_mlflow, stop
from trilho.errors import BackupDamaged
from trilho.platform.backup import restore
from trilho.platform.backup.tables import sqlite_file

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


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of 41 runs with an artifact each, random enough not to shrink."""
    folder = tmp_path_factory.mktemp("small")
    script(_MANY, str(folder))
    file = folder / "backup.tar.zst"
    trilho(folder, "backup", str(file), **at(folder))
    return file


_MANY = """
import os, sys, warnings
warnings.simplefilter("ignore")
from pathlib import Path
from mlflow import MlflowClient
folder = Path(sys.argv[1])
client = MlflowClient(f"sqlite:///{folder}/mlflow.db")
for number in range(41):
    run = client.create_run("0").info.run_id
    path = folder / "artifacts" / "0" / run / "artifacts" / "noise.bin"
    path.parent.mkdir(parents=True)
    path.write_bytes(os.urandom(200_000))
"""


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


@pytest.mark.parametrize("kept", [0, 1, 1000, 0.3, 0.9, -1])
def test_a_truncated_backup_is_refused_and_nothing_is_changed(kept: float, backup: Path, tmp_path: Path) -> None:
    data = backup.read_bytes()
    cut = tmp_path / "cut.tar.zst"
    cut.write_bytes(data[: int(kept * len(data)) if isinstance(kept, float) else kept])
    refused(cut, tmp_path)


@pytest.mark.parametrize("place", [0.02, 0.5, 0.99])
def test_an_altered_byte_is_found_and_nothing_is_changed(place: float, backup: Path, tmp_path: Path) -> None:
    data = bytearray(backup.read_bytes())
    data[int(place * len(data))] ^= 16
    (tmp_path / "altered.tar.zst").write_bytes(data)
    refused(tmp_path / "altered.tar.zst", tmp_path)


@pytest.mark.parametrize("what", ["changed", "left out", "added", "swapped manifest"])
def test_an_altered_member_is_found_and_nothing_is_changed(what: str, backup: Path, tmp_path: Path) -> None:
    altered = tmp_path / "altered.tar.zst"
    with (
        tarfile.open(fileobj=pyarrow.input_stream(str(backup), compression="zstd"), mode="r|") as old,
        pyarrow.CompressedOutputStream(str(altered), "zstd") as out,
        tarfile.open(fileobj=out, mode="w|") as new,
    ):
        done = False
        for info in old:
            data = bytearray(old.extractfile(info).read())  # type: ignore[union-attr]
            artifact = info.name.startswith("artifacts/") and not done
            if artifact and what == "changed":
                data[100] ^= 1
            if artifact and what == "left out":
                done = True
                continue
            if info.name == "manifest.json" and what == "swapped manifest":
                data = bytearray(data.replace(b'"runs": 41', b'"runs": 40'))
                info.size = len(data)
            new.addfile(info, BytesIO(bytes(data)))
            if artifact and what == "added":
                info.name += ".more"
                new.addfile(info, BytesIO(bytes(data)))
            done = done or artifact
    refused(altered, tmp_path)


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello\n" * 100, encoding="utf-8")
    refused(tmp_path / "notes.txt", tmp_path)
    told = trilho(tmp_path, "restore", "notes.txt", code=1, **at(tmp_path / "other")).stderr
    assert "notes.txt is no whole backup. Nothing was changed." in told
    assert "Traceback" not in told
    assert "There is no file" in trilho(tmp_path, "restore", "nowhere", code=1, **at(tmp_path / "other")).stderr


def test_a_backup_overwrites_nothing(backup: Path, tmp_path: Path) -> None:
    before = backup.read_bytes()
    done = trilho(tmp_path, "backup", str(backup), code=1, **at(backup.parent))
    assert "exists already. It was not touched." in done.stderr
    assert backup.read_bytes() == before


def test_a_full_disk_leaves_no_half_backup(backup: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "4m") as disk:
        done = trilho(tmp_path, "backup", str(disk / "new.tar.zst"), code=1, **at(backup.parent))
        assert "No space left on device" in done.stderr
        assert "Free some disk space" in done.stderr
        assert list(disk.iterdir()) == []


def test_a_restore_onto_a_full_disk_goes_on_when_there_is_room(backup: Path, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", "12m") as disk:
        filled = disk / "filled"
        filled.write_bytes(bytes(6_000_000))
        told = at(disk / "team")
        done = trilho(tmp_path, "restore", str(backup), code=1, **told)
        assert "No space left on device" in done.stderr
        assert not (disk / "team" / "mlflow.db").exists(), "no row without its artifacts"
        filled.unlink()
        again = trilho_json(tmp_path, "restore", str(backup), **told)
        assert again["resumes"] is True
        assert again["found"] == again["manifest"]["counts"]


def test_a_killed_restore_is_finished_by_the_same_command(backup: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    command = [sys.executable, "-m", "trilho.cli", "restore", str(backup)]
    process = subprocess.Popen(
        command, env=environment(**at(other)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 120
    while not (other / "artifacts" / "0").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None, "it was faster than the test"
        time.sleep(0.0005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(60)
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


@pytest.mark.parametrize("place", [0, 300_000])
def test_a_damaged_database_is_not_backed_up_and_a_restore_keeps_it(place: int, backup: Path, tmp_path: Path) -> None:
    copy = tmp_path / backup.name
    copy.write_bytes(backup.read_bytes())
    other = tmp_path / "other"
    trilho(tmp_path, "restore", copy.name, **at(other))
    with (other / "mlflow.db").open("r+b") as file:
        file.seek(place)
        file.write(os.urandom(400_000))
    damaged = (other / "mlflow.db").read_bytes()
    done = trilho(tmp_path, "backup", "new.tar.zst", code=1, **at(other))
    assert "is damaged" in done.stderr
    assert "trilho restore BACKUP --force" in done.stderr
    assert not (tmp_path / "new.tar.zst").exists()

    restored = trilho_json(tmp_path, "restore", copy.name, "--force", **at(other))
    assert restored["found"] == restored["manifest"]["counts"]
    kept = restored["before"]["file"]
    with tarfile.open(fileobj=pyarrow.input_stream(str(tmp_path / kept), compression="zstd"), mode="r|") as tar:
        first = tar.next()
        assert first is not None
        assert first.name == "database.damaged"
        assert tar.extractfile(first).read() == damaged  # type: ignore[union-attr]
    assert "was damaged when it was backed up" in trilho(tmp_path, "restore", kept, code=1, **at(tmp_path / "x")).stderr


def refused(file: Path, folder: Path) -> None:
    """Refused into an empty place and, with force, into a used one; both stay as they are."""
    used = folder / "used"
    (used / "artifacts").mkdir(parents=True)
    (used / "artifacts" / "kept.txt").write_text("kept", encoding="utf-8")
    before = files_of(folder)
    for target, force, dry_run in ((folder / "empty", False, False), (used, True, False), (used, False, True)):
        with pytest.raises(BackupDamaged, match=r"Nothing was changed\."):
            restore(file, sqlite_file(target / "mlflow.db"), str(target / "artifacts"), force=force, dry_run=dry_run)
    assert files_of(folder) == before


def at(folder: Path, database: str = "mlflow.db") -> dict[str, str]:
    return {
        "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{folder / database}",
        "MLFLOW_ARTIFACTS_DESTINATION": str(folder / "artifacts"),
    }


def files(folder: Path) -> list[Path]:
    return [path for path in (folder / "artifacts").rglob("*") if path.is_file()]


def names(folder: Path) -> set[str]:
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        return {row[0] for row in database.execute("SELECT name FROM runs")}
