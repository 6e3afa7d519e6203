from __future__ import annotations

import os
from pathlib import Path

import pytest

from trilho.errors import ServiceFailed
from trilho.serving.pointer import Pointer, Target, write_pointer
from trilho.serving.shelf import Entry, clean, recall, remember, run_folder


def bundle(folder: Path, name: str) -> Path:
    path = folder / "bundles" / f"{name}.tar"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def entry(name: str) -> Entry:
    return Entry(path=f"bundles/{name}.tar", name="m", version=name, digest=name * 8)


def test_what_an_address_led_to_is_recalled_as_long_as_it_is_there(tmp_path: Path) -> None:
    path = bundle(tmp_path, "a")
    remember(tmp_path, "models:/m@champion", entry("a"))
    assert recall(tmp_path, "models:/m@champion") == entry("a")
    assert recall(tmp_path, "models:/m@other") is None
    path.unlink()
    assert recall(tmp_path, "models:/m@champion") is None


def test_the_newest_addresses_are_remembered(tmp_path: Path) -> None:
    for name in "abcdefgh":
        bundle(tmp_path, name)
        remember(tmp_path, name, entry(name))
    remember(tmp_path, "d", entry("d"))
    assert [name for name in "abcdefgh" if recall(tmp_path, name)] == ["d", "e", "f", "g", "h"]


def test_bundles_that_nobody_needs_are_removed(tmp_path: Path) -> None:
    for name in "abcdef":
        bundle(tmp_path, name)
    remember(tmp_path, "models:/m@champion", entry("a"))
    run = tmp_path / "run-7-x"
    run.mkdir()
    targets = [Target(path=str(tmp_path / "bundles" / f"{name}.tar"), name="m", version=name) for name in "bc"]
    write_pointer(run, Pointer(number=2, target=targets[0], previous=targets[1], since=0.0))
    assert clean(tmp_path, young=3600) == [], "somebody may just have fetched them"
    assert sorted(clean(tmp_path, young=-1)) == ["d.tar", "e.tar", "f.tar"]
    assert sorted(path.stem for path in (tmp_path / "bundles").iterdir()) == ["a", "b", "c"]


def test_run_folder_is_private_and_gone_at_the_end(tmp_path: Path) -> None:
    with run_folder(tmp_path) as one, run_folder(tmp_path) as two:
        assert one != two
        assert one.is_dir()
        os.utime(one, (0, 0))
        with run_folder(tmp_path):
            assert one.is_dir(), "its server lives"
    assert list(tmp_path.glob("run-*")) == []


def test_folders_of_dead_servers_are_swept_when_they_are_old_enough(tmp_path: Path) -> None:
    dead, young = tmp_path / "run-1-dead", tmp_path / "run-2-young"
    for folder in (dead, young):
        folder.mkdir()
    os.utime(dead, (0, 0))
    with run_folder(tmp_path):
        assert not dead.exists()
        assert young.exists(), "it may be in the making"


def test_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "serving").write_text("in the way")
    with pytest.raises(ServiceFailed, match="serving"), run_folder(tmp_path / "serving"):
        raise AssertionError("never here")
