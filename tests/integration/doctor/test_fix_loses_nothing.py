"""doctor --fix of artifact locations: no file is lost, and no row that leads to files which did not come along."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import mlflow
import pytest

from command_line import environment, trilho, trilho_json
from integration.doctor.conftest import PlainServers, train
from integration.doctor.test_fix import all_is_there, locations
from team_store import Store
from trilho.errors import BackupFailed
from trilho.platform.doctor import Relocation, Site, plan_relocation, relocate

CHECKPOINT = "notes/a.txt"  # train logs "a note" there


@pytest.fixture(scope="module")
def template(start_mlflow: PlainServers, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder that a server, ended by now, left: files at old/, the database. And the id of its run."""
    folder = tmp_path_factory.mktemp("trained") / "here"
    folder.mkdir()
    address = start_mlflow(folder, "--default-artifact-root", str(folder / "old"))
    run_id = train(address, folder)
    start_mlflow.stop(address)
    shutil.copytree(folder, folder.with_name("as it was"))
    return folder, run_id


@pytest.fixture
def trained(template: tuple[Path, str]) -> tuple[Path, str]:
    """The same as it was: its paths are in the database, so it has one place."""
    folder, run_id = template
    shutil.rmtree(folder)
    shutil.copytree(folder.with_name("as it was"), folder)
    return folder, run_id


def places(folder: Path) -> list[str]:
    return [
        *("--backend-store-uri", f"sqlite:///{folder / 'mlflow.db'}"),
        *("--artifacts-destination", str(folder / "new")),
    ]


def plan(folder: Path) -> Relocation:
    site = Site(
        root=folder, environment={}, database=f"sqlite:///{folder / 'mlflow.db'}", artifacts=str(folder / "new")
    )
    return plan_relocation(site)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def run_location(folder: Path, run_id: str) -> str:
    with closing(sqlite3.connect(folder / "mlflow.db")) as database:
        (found,) = database.execute("SELECT artifact_uri FROM runs WHERE run_uuid = ?", [run_id]).fetchone()
    return str(found)


def test_checkpoint_written_anew_at_the_same_size_while_it_runs_is_what_the_server_has(
    trained: tuple[Path, str],
) -> None:
    folder, run_id = trained
    file = folder / "old" / "1" / run_id / "artifacts" / CHECKPOINT

    def train_on(said: str) -> None:
        if said == "Rewriting locations":  # between the two looks at the old files
            file.write_text("b note", encoding="utf-8")

    relocate(plan(folder), backup_in=folder, say=train_on)
    assert (folder / "new" / "1" / run_id / "artifacts" / CHECKPOINT).read_text(encoding="utf-8") == "b note"
    assert file.read_text(encoding="utf-8") == "b note"


def test_old_files_stay_and_are_listed_with_the_backup_that_only_its_owner_reads(trained: tuple[Path, str]) -> None:
    folder, _ = trained
    before = contents(folder / "old")
    shown = trilho(folder, "doctor", "--fix", "--yes", *places(folder)).stdout
    assert contents(folder / "old") == before
    assert contents(folder / "new") == before
    (backup,) = folder.glob("before-doctor-*")
    assert stat.S_IMODE(backup.stat().st_mode) == 0o700 or sys.platform == "win32"
    listed = (backup / "old-folders.txt").read_text(encoding="utf-8").splitlines()
    assert f"{len(listed)} folders with the old files, listed in old-folders.txt" in shown
    for left in listed:  # what the guide says to do in the end
        shutil.rmtree(left)
    assert contents(folder / "old") == {}


def test_nothing_is_rewritten_where_a_copy_did_not_arrive(trained: tuple[Path, str]) -> None:
    folder, run_id = trained
    before = locations(folder / "mlflow.db")
    note = folder / "new" / "1" / run_id / "artifacts" / CHECKPOINT
    note.mkdir(parents=True)  # a folder where the file belongs
    done = trilho(folder, "doctor", "--fix", "--yes", *places(folder), code=1)
    assert "No location was changed, and no file removed." in done.stderr
    assert "Traceback" not in done.stderr
    assert locations(folder / "mlflow.db") == before


def test_a_copy_that_is_gone_before_the_end_is_named(trained: tuple[Path, str]) -> None:
    folder, run_id = trained
    note = folder / "new" / "1" / run_id / "artifacts" / CHECKPOINT
    with pytest.raises(BackupFailed, match="did not arrive whole") as caught:
        relocate(plan(folder), backup_in=folder, say=lambda said: note.unlink() if said.startswith("Rewr") else None)
    assert "before-doctor-" in caught.value.state
    assert contents(folder / "old")


def test_files_behind_a_link_come_along_and_a_link_in_a_circle_ends(trained: tuple[Path, str]) -> None:
    folder, run_id = trained
    artifacts = folder / "old" / "1" / run_id / "artifacts"
    (folder / "data set").mkdir()
    (folder / "data set" / "rows.csv").write_text("1,2", encoding="utf-8")
    (artifacts / "data").symlink_to(folder / "data set", target_is_directory=True)
    (artifacts / "notes" / "up").symlink_to(artifacts, target_is_directory=True)
    trilho(folder, "doctor", "--fix", "--yes", *places(folder))
    new = folder / "new" / "1" / run_id / "artifacts"
    assert (new / "data" / "rows.csv").read_text(encoding="utf-8") == "1,2"
    assert not (new / "notes" / "up").exists()


@pytest.mark.parametrize("known", ["destination", "other"])
def test_row_of_a_run_whose_files_are_on_another_machine_stays_until_the_user_decides(
    known: str, start_mlflow: PlainServers, tmp_path: Path
) -> None:
    """Document 000: clients wrote to their own /mlruns/1/RUN, and the server's machine has a folder /mlruns/1, too."""
    root = tmp_path / ("new" if known == "destination" else "old")
    address = start_mlflow(tmp_path, "--default-artifact-root", str(root))
    here, elsewhere = train(address, tmp_path), train(address, tmp_path)
    (model,) = [m for m in models(address) if m.source_run_id == elsewhere]
    start_mlflow.stop(address)
    laptop = tmp_path / "on a laptop"
    laptop.mkdir()
    shutil.move(root / "1" / elsewhere, laptop / elsewhere)
    shutil.move(root / "1" / "models" / model.model_id, laptop / model.model_id)
    before = locations(tmp_path / "mlflow.db")

    shown = trilho(tmp_path, "doctor", "--fix", *places(tmp_path), code=1).stdout
    assert f"1 run without files here: {root}/1/{elsewhere}/artifacts" in shown
    assert f"1 model without files here: {root}/1/models/{model.model_id}/artifacts" in shown
    done = trilho_json(tmp_path, "doctor", "--fix", "--yes", *places(tmp_path), code=1)
    (churn,) = (found for found in done["relocation"]["experiments"] if found["name"] == "churn")
    assert {place["kind"] for place in churn["without_files"]} == {"run", "model"}
    assert run_location(tmp_path, here) == f"mlflow-artifacts:/1/{here}/artifacts"
    assert run_location(tmp_path, elsewhere) == f"{root}/1/{elsewhere}/artifacts"
    after = locations(tmp_path / "mlflow.db")
    stays = [place for place in before if elsewhere in place or model.model_id in place]
    assert len(stays) == 3  # the run, its model, and the version
    assert [place for place in after if not place.startswith("mlflow-artifacts:/")] == stays

    trilho(tmp_path, "doctor", "--fix", "--yes", "--files", f"{root}={laptop}", *places(tmp_path), code=1)
    assert [place for place in locations(tmp_path / "mlflow.db") if place in stays] == stays  # nor are they there
    shutil.move(laptop / elsewhere, root / "1" / elsewhere)  # brought here: then it goes on
    trilho(tmp_path, "doctor", "--fix", "--yes", *places(tmp_path), code=1)
    assert run_location(tmp_path, elsewhere) == f"mlflow-artifacts:/1/{elsewhere}/artifacts"
    trilho(tmp_path, "doctor", "--fix", "--yes", "--without-files", *places(tmp_path))
    assert all(place.startswith("mlflow-artifacts:/") for place in locations(tmp_path / "mlflow.db"))


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
@pytest.mark.parametrize("locked", ["notes", CHECKPOINT])
def test_row_of_a_run_whose_files_may_not_be_read_stays(locked: str, trained: tuple[Path, str]) -> None:
    folder, run_id = trained
    artifacts = folder / "old" / "1" / run_id / "artifacts"
    mode = (artifacts / locked).stat().st_mode
    (artifacts / locked).chmod(0)
    words = ["doctor", "--fix", "--yes", "--without-files", *places(folder)]
    try:
        done = as_owner_without_rights(folder, *words)
    finally:
        (artifacts / locked).chmod(mode)
    assert f"not readable, and left as it is: {artifacts}: " in done.stdout, done.stderr
    assert run_location(folder, run_id) == str(artifacts)
    assert done.returncode == 1
    trilho(folder, "doctor", "--fix", "--yes", *places(folder))
    assert run_location(folder, run_id) == f"mlflow-artifacts:/1/{run_id}/artifacts"


def test_a_version_made_from_files_in_an_experiments_folder_takes_them_along(
    start_mlflow: PlainServers, tmp_path: Path
) -> None:
    old = tmp_path / "old"
    address = start_mlflow(
        tmp_path, "--default-artifact-root", str(old), environment={"MLFLOW_ALLOW_LOCAL_MODEL_SOURCES": "true"}
    )
    train(address, tmp_path)
    start_mlflow.stop(address)
    (old / "1" / "by hand").mkdir()
    (old / "1" / "by hand" / "MLmodel").write_text("flavors: {}", encoding="utf-8")
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database, database:  # old servers took any source
        for number, name in ((8, "by hand"), (9, "gone")):
            database.execute(
                "INSERT INTO model_versions (name, version, source, storage_location, run_id, workspace) "
                "SELECT name, ?, ?, ?, '', workspace FROM model_versions WHERE version = 1",
                [number, f"{old}/1/{name}", f"{old}/1/{name}"],
            )
    shown = trilho(tmp_path, "doctor", "--fix", "--yes", *places(tmp_path), code=1)
    assert f"1 version without files here: {old}/1/gone" in shown.stdout
    with closing(sqlite3.connect(tmp_path / "mlflow.db")) as database:
        found = dict(database.execute("SELECT version, storage_location FROM model_versions WHERE version > 7"))
    assert found == {8: "mlflow-artifacts:/1/by hand", 9: f"{old}/1/gone"}
    assert (tmp_path / "new" / "1" / "by hand" / "MLmodel").is_file()


def test_a_mount_of_the_bucket_is_known_as_the_bucket(
    start_mlflow: PlainServers, seaweed: Store, tmp_path: Path
) -> None:
    seaweed.client().create_bucket(Bucket="mounted")
    place = tmp_path / "mount"
    place.mkdir()
    with mounted(seaweed, "mounted", place):
        address = start_mlflow(tmp_path, "--default-artifact-root", str(place))
        run_id = train(address, tmp_path)
        start_mlflow.stop(address)
        before = set(seaweed.keys("mounted"))
        assert before
        known = {"MLFLOW_BACKEND_STORE_URI": f"sqlite:///{tmp_path / 'mlflow.db'}", **seaweed.environment}
        known["MLFLOW_ARTIFACTS_DESTINATION"] = "s3://mounted/"
        done = trilho_json(tmp_path, "doctor", "--fix", "--yes", **known)["relocation"]["done"]
        assert set(seaweed.keys("mounted")) == before  # nor is the probe left
        assert (done["files"], done["left"]) == (0, 0)
        assert (Path(done["backup"]) / "old-folders.txt").read_text(encoding="utf-8") == ""
    address = start_mlflow(
        tmp_path,
        *("--artifacts-destination", "s3://mounted/"),
        environment={**seaweed.environment, "AWS_DEFAULT_REGION": "us-east-1"},
    )
    all_is_there(address, run_id, tmp_path)


def models(address: str) -> list[mlflow.entities.LoggedModel]:
    return list(mlflow.MlflowClient(address).search_logged_models(["1"]))


def as_owner_without_rights(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """trilho WORDS as a user whom the modes of files bind; root needs to give up a right for that."""
    bound = []
    if os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("no setpriv here: apt-get install util-linux")
        bound = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
    command = [*bound, sys.executable, "-m", "trilho.cli", *words]
    return subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)


@contextmanager
def mounted(store: Store, bucket: str, place: Path) -> Iterator[None]:
    """A bucket as a folder, by FUSE, as s3fs does it."""
    weed = shutil.which("weed") or shutil.which("weed", path=sysconfig.get_path("scripts"))
    if not weed or not Path("/dev/fuse").exists() or os.geteuid() != 0:
        pytest.skip("no right to mount a bucket here: run as root with /dev/fuse")
    flags = dict(word.lstrip("-").split("=", 1) for word in store.command if word.startswith("-") and "=" in word)
    filer = f"127.0.0.1:{flags['filer.port']}.{flags['filer.port.grpc']}"
    command = [weed, "mount", f"-filer={filer}", f"-dir={place}", f"-filer.path=/buckets/{bucket}"]
    with (place.parent / "mount.log").open("wb") as log:
        process = subprocess.Popen([*command, "-allowOthers=false"], stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while not place.is_mount():
            assert process.poll() is None, (place.parent / "mount.log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=False)
        process.terminate()
        process.wait(300)
