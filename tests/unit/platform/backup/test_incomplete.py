"""A backup that lacks something says so: nothing is left out in silence."""

from __future__ import annotations

import os
import sqlite3
import stat
import sys
import tempfile
from contextlib import closing
from pathlib import Path

import pytest

from backups import at
from command_line import trilho, trilho_json
from ordinary_user import as_ordinary_user
from trilho.errors import BackupFailed
from trilho.platform.backup import Saved, back_up, restore
from trilho.platform.backup.archive import members
from trilho.platform.backup.folder import Folder
from trilho.platform.backup.tables import sqlite_file

TABLES = """
CREATE TABLE experiments (experiment_id INTEGER PRIMARY KEY, name TEXT, artifact_location TEXT);
CREATE TABLE runs (run_uuid TEXT PRIMARY KEY, experiment_id INTEGER, artifact_uri TEXT);
CREATE TABLE model_versions (name TEXT, version INTEGER, source TEXT, current_stage TEXT);
CREATE TABLE trace_info (request_id TEXT PRIMARY KEY, experiment_id INTEGER);
CREATE TABLE trace_tags (key TEXT, value TEXT, request_id TEXT);
"""
needs_links = pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a right of their own there")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A server's folder: one run behind the server, with one file."""
    write(tmp_path, "INSERT INTO runs VALUES ('r', 1, 'mlflow-artifacts:/1/r/artifacts')", TABLES)
    put(tmp_path / "artifacts/1/r/artifacts/kept.txt", "kept")
    return tmp_path


def test_a_folder_that_is_not_there_is_refused(folder: Path) -> None:
    (folder / "artifacts").rename(folder / "unmounted")
    with pytest.raises(BackupFailed, match="There is no folder"):
        saved(folder)
    assert not (folder / "b.tar.zst").exists()


def test_a_folder_without_a_single_file_is_named_and_the_command_ends_with_1(folder: Path) -> None:
    """An unmounted disk leaves an empty folder."""
    (folder / "artifacts").rename(folder / "unmounted")
    (folder / "artifacts").mkdir()
    done = trilho(folder, "backup", "b.tar.zst", code=1, **at(folder))
    assert f"missing      {folder / 'artifacts'}" in done.stdout
    assert "Incomplete" in done.stdout
    assert "Saved" not in done.stdout
    assert (folder / "b.tar.zst").exists(), "the database in it may be all there is"


def test_a_server_that_nobody_has_used_yet_needs_no_artifacts(tmp_path: Path) -> None:
    write(tmp_path, "", TABLES)
    assert saved(tmp_path).manifest.missing == ()
    assert saved(tmp_path, "again").complete


@needs_links
def test_a_run_behind_a_link_is_in_it(folder: Path) -> None:
    put(folder / "big/s/artifacts/linked.txt", "linked")
    (folder / "artifacts/1/s").symlink_to(folder / "big/s")
    saved(folder)
    assert content(folder)["1/s/artifacts/linked.txt"] == b"linked"


@needs_links
def test_a_link_to_where_it_is_ends_nothing(folder: Path) -> None:
    (folder / "artifacts/1/r/round").symlink_to(folder / "artifacts/1")
    saved(folder)
    assert list(content(folder)) == ["1/r/artifacts/kept.txt"]


@needs_links
def test_a_link_that_leads_nowhere_is_refused(folder: Path) -> None:
    (folder / "artifacts/1/s").symlink_to(folder / "unmounted" / "s")
    with pytest.raises(BackupFailed, match="leads to nothing"):
        saved(folder)
    with pytest.raises(BackupFailed, match="leads to nothing"):
        list(Folder(folder / "artifacts/1/s").files())


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")
@pytest.mark.parametrize(("what", "mode"), [("1", 0), ("1/s", 0), ("1/s", 0o444), ("1/s/notes.txt", 0)])
def test_what_may_not_be_read_is_refused(what: str, mode: int) -> None:
    with tempfile.TemporaryDirectory(prefix="trilho-") as name:
        root = Path(name)
        root.chmod(0o755)
        put(root / "1/s/notes.txt", "secret")
        (root / "1/s/link").symlink_to("notes.txt")
        (root / what).chmod(mode)
        try:
            with as_ordinary_user(), pytest.raises(BackupFailed, match="may not be read"):
                read_all(Folder(root))
        finally:
            (root / what).chmod(0o700)


def test_a_place_that_is_gone_is_left_out_and_its_location_stays(folder: Path) -> None:
    write(folder, f"INSERT INTO experiments VALUES (2, 'far', '{folder}/gone/2')")
    write(folder, f"INSERT INTO runs VALUES ('far', 2, '{folder}/gone/2/far/artifacts')")
    write(folder, f"INSERT INTO model_versions VALUES ('m', 1, '{folder}/gone/2/far/artifacts/model', 'None')")
    done = trilho_json(folder, "backup", "b.tar.zst", code=1, **at(folder))
    assert done["complete"] is False
    assert done["manifest"]["left_out"] == [f"{folder}/gone/2/far/artifacts"]
    other = folder / "other"
    restore(folder / "b.tar.zst", sqlite_file(other / "mlflow.db"), str(other / "artifacts"))
    with closing(sqlite3.connect(other / "mlflow.db")) as made:
        assert made.execute("SELECT artifact_uri FROM runs WHERE run_uuid = 'far'").fetchall() == [
            (f"{folder}/gone/2/far/artifacts",)
        ]
        assert made.execute("SELECT source FROM model_versions").fetchall() == [
            (f"{folder}/gone/2/far/artifacts/model",)
        ]


def test_a_model_that_was_registered_from_a_path_is_named(folder: Path) -> None:
    write(folder, f"INSERT INTO model_versions VALUES ('m', 1, '{folder}/somewhere/model', 'None')")
    write(folder, "INSERT INTO model_versions VALUES ('m', 2, 'models:/m-1', 'None')")
    write(folder, "INSERT INTO model_versions VALUES ('m', 3, 'runs:/r/model', 'None')")
    write(folder, "INSERT INTO model_versions VALUES ('m', 4, 'mlflow-artifacts:/1/r/artifacts/model', 'None')")
    done = saved(folder)
    assert done.manifest.left_out == (f"{folder}/somewhere/model",)
    assert not done.complete


def test_a_run_without_artifacts_beside_others_lacks_nothing(folder: Path) -> None:
    write(folder, f"INSERT INTO experiments VALUES (2, 'near', '{folder}/mlruns/2')")
    write(folder, f"INSERT INTO runs VALUES ('near', 2, '{folder}/mlruns/2/near/artifacts')")
    write(folder, f"INSERT INTO runs VALUES ('bare', 2, '{folder}/mlruns/2/bare/artifacts')")
    put(folder / "mlruns/2/near/artifacts/notes.txt", "near")
    done = saved(folder)
    assert done.complete
    assert done.manifest.left_out == ()
    assert content(folder)["2/near/artifacts/notes.txt"] == b"near"


def test_files_of_traces_at_paths_come_along(folder: Path) -> None:
    write(folder, "INSERT INTO trace_info VALUES ('tr-1', 2)")
    write(
        folder, f"INSERT INTO trace_tags VALUES ('mlflow.artifactLocation', '{folder}/mlruns/2/traces/tr-1/a', 'tr-1')"
    )
    put(folder / "mlruns/2/traces/tr-1/a/traces.json", "{}")
    saved(folder)
    assert content(folder)["2/traces/tr-1/artifacts/traces.json"] == b"{}"


@pytest.mark.skipif(sys.platform != "linux", reason="names are bytes there")
def test_a_name_that_is_no_utf8_comes_back(folder: Path) -> None:
    name = os.fsdecode(b"caf\xe9.txt")
    (folder / "artifacts/1/r/artifacts" / name).write_bytes(b"later")
    os.utime(folder / "artifacts/1/r/artifacts" / name, (4e9, 4e9))
    done = trilho_json(folder, "backup", "b.tar.zst", **at(folder))
    assert len(done["manifest"]["later"]) == 1
    other = folder / "other"
    restore(folder / "b.tar.zst", sqlite_file(other / "mlflow.db"), str(other / "artifacts"))
    assert (other / "artifacts/1/r/artifacts" / name).read_bytes() == b"later"


@pytest.mark.skipif(sys.platform == "win32", reason="modes are of POSIX")
def test_copies_of_users_passwords_are_read_by_their_user_alone(folder: Path) -> None:
    before = os.umask(0o022)
    try:
        saved(folder)
        other, seen = folder / "other", {}

        def say(told: str) -> None:
            seen.update({path.name: mode_of(path) for path in other.glob("mlflow.db*")})

        restore(folder / "b.tar.zst", sqlite_file(other / "mlflow.db"), str(other / "artifacts"), say=say)
        assert mode_of(other / "mlflow.db") == 0o600
        (other / "mlflow.db").chmod(0o640)
        restore(folder / "b.tar.zst", sqlite_file(other / "mlflow.db"), str(other / "artifacts"), force=True, say=say)
        assert mode_of(other / "mlflow.db") == 0o640, "as its server's group needs it"
    finally:
        os.umask(before)


def read_all(store: Folder) -> None:
    for found in store.files():
        with store.reading(found.path):
            pass


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(folder: Path, statement: str, tables: str = "") -> None:
    with closing(sqlite3.connect(folder / "mlflow.db")) as made, made:
        made.executescript(f"{tables};{statement};")


def put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (1, 1))


def saved(folder: Path, name: str = "b") -> Saved:
    return back_up(folder / f"{name}.tar.zst", sqlite_file(folder / "mlflow.db"), str(folder / "artifacts"))


def content(folder: Path) -> dict[str, bytes]:
    found = {member.name: member.stream.read() for member in members(folder / "b.tar.zst")}
    return {name.removeprefix("artifacts/"): data for name, data in found.items() if name.startswith("artifacts/")}
