"""Artifacts in a folder."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pytest

from trilho.errors import BackupDamaged, BackupFailed
from trilho.platform.backup.artifact_store import folder_of
from trilho.platform.backup.folder import Folder
from trilho.platform.backup.opening import open_store


def test_files_are_found_by_their_paths_without_the_mark(tmp_path: Path) -> None:
    store = Folder(tmp_path)
    store.write("1/run/artifacts/ä b.txt", BytesIO(b"abc"), 3)
    store.write("top", BytesIO(b""), 0)
    store.set_mark("unfinished")
    assert [(found.path, found.size) for found in store.files()] == [("top", 0), ("1/run/artifacts/ä b.txt", 3)]
    assert [found.path for found in store.files("1/run")] == ["1/run/artifacts/ä b.txt"]
    assert store.mark() == "unfinished"
    store.set_mark("")
    assert store.mark() == ""


def test_a_file_that_is_gone_is_no_error(tmp_path: Path) -> None:
    with Folder(tmp_path).reading("1/gone") as found:
        assert found is None
    assert list(Folder(tmp_path / "nowhere").files()) == []


@pytest.mark.parametrize("path", ["../out", "a/../../out", "a/.."])
def test_nothing_is_written_outside(path: str, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(BackupDamaged, match="would leave"):
        Folder(tmp_path / "in").write(path, BytesIO(b"x"), 1)
    assert list(tmp_path.rglob("*")) == [tmp_path / "in"]


def test_a_stream_that_ends_early_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="ended after 3 of 5 bytes"):
        Folder(tmp_path).write("a", BytesIO(b"abc"), 5)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "folder"),
    [
        ("/srv/artifacts", "/srv/artifacts"),
        ("./mlartifacts", "mlartifacts"),
        ("file:///srv/my%20artifacts", "/srv/my artifacts"),
        ("file://localhost/srv", "/srv"),
        ("file://other/srv", None),
        ("s3://bucket/path", None),
        ("C:\\mlruns", None),
    ],
)
def test_locations_that_are_folders_here(address: str, folder: str | None) -> None:
    assert folder_of(address) == (None if folder is None else Path(folder))


def test_a_store_of_another_kind_is_refused() -> None:
    with pytest.raises(BackupFailed, match=r"gs:// cannot be copied"):
        open_store("gs://bucket/path")
