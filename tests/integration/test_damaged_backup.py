"""What is cut short, altered or damaged is refused, and nothing is changed by it."""

from __future__ import annotations

import os
import tarfile
from io import BytesIO
from pathlib import Path

import pyarrow
import pytest

from backups import at, files_of, small_backup
from command_line import trilho, trilho_json
from trilho.errors import BackupDamaged
from trilho.platform.backup import restore
from trilho.platform.backup.tables import sqlite_file


@pytest.fixture(scope="module")
def backup(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_backup(tmp_path_factory.mktemp("small"))


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


@pytest.mark.parametrize("what", ["changed", "left out", "added", "swapped manifest", "broken manifest"])
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
            if info.name == "manifest.json" and what == "broken manifest":
                data[0:1] = b"["
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
    with (other / "mlflow.db").open("r+b") as file:
        file.write(b"no database")
    said = trilho(tmp_path, "restore", copy.name, "--force", **at(other)).stdout
    assert "Kept" in said
    assert "Undo" not in said, "no command brings a damaged database back"


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
