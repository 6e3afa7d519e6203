"""What is remembered about files: it saves reading, and nothing done to files or memory makes it lie."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from trilho import data
from trilho.data import memory as remembering


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files whose content was read, in the order of reading."""
    names: list[str] = []
    real = remembering.digests

    def noted(folder: Path, wanted: Sequence[str]) -> list[bytes]:
        names.extend(wanted)
        return real(folder, wanted)

    monkeypatch.setattr(remembering, "digests", noted)
    return names


@pytest.fixture
def old(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files count as old, though the test has just written them."""
    monkeypatch.setattr(remembering, "STEP_OF_FILE_TIMES_NS", -(10**15))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "parts"
    made.mkdir()
    for name in "abc":
        (made / f"{name}.csv").write_text(f"x,y\n1,{name}\n", encoding="utf-8")
    return made


def look(folder: Path) -> str | None:
    return data.fingerprint("parts", root=folder.parent, memory=folder.parent / "state" / "files")


@pytest.mark.usefixtures("old")
def test_an_unchanged_folder_is_not_read_again(folder: Path, read: list[str]) -> None:
    first = look(folder)
    assert sorted(read) == ["a.csv", "b.csv", "c.csv"]
    read.clear()
    assert look(folder) == first == data.fingerprint("parts", root=folder.parent)
    assert read == ["a.csv", "b.csv", "c.csv"]  # by the last call, which has no memory


@pytest.mark.usefixtures("old")
def test_only_what_changed_is_read_again(folder: Path, read: list[str]) -> None:
    look(folder)
    read.clear()
    (folder / "b.csv").write_text("x,y\n2,bb\n", encoding="utf-8")
    (folder / "d.csv").write_text("x,y\n3,d\n", encoding="utf-8")
    (folder / "a.csv").unlink()
    second = look(folder)
    assert sorted(read) == ["b.csv", "d.csv"]
    assert second == data.fingerprint("parts", root=folder.parent)


@pytest.mark.usefixtures("old")
def test_a_file_of_the_same_size_put_in_its_place_is_noticed(folder: Path) -> None:
    before = look(folder)
    stat = (folder / "b.csv").stat()
    fresh = folder.parent / "fresh"
    fresh.write_text("x,y\n1,B\n", encoding="utf-8")
    os.utime(fresh, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    fresh.replace(folder / "b.csv")
    after = (folder / "b.csv").stat()
    assert (after.st_size, after.st_mtime_ns) == (stat.st_size, stat.st_mtime_ns)
    assert look(folder) != before


@pytest.mark.usefixtures("old")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows keeps no time of change that cannot be set")
def test_a_change_with_the_old_time_put_back_is_noticed(folder: Path) -> None:
    before = look(folder)
    stat = (folder / "b.csv").stat()
    (folder / "b.csv").write_text("x,y\n1,B\n", encoding="utf-8")
    os.utime(folder / "b.csv", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    after = (folder / "b.csv").stat()
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (stat.st_size, stat.st_mtime_ns, stat.st_ino)
    assert look(folder) != before


def test_a_file_as_young_as_the_memory_is_read_again(folder: Path, read: list[str]) -> None:
    # A second change within one step of the file system's clock would leave no trace in size and times.
    look(folder)
    read.clear()
    look(folder)
    assert sorted(read) == ["a.csv", "b.csv", "c.csv"]


def test_a_file_from_the_future_is_never_trusted(
    folder: Path, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remembering, "STEP_OF_FILE_TIMES_NS", 0)
    os.utime(folder / "b.csv", ns=(0, 2**62))
    look(folder)
    read.clear()
    look(folder)
    assert "b.csv" in read


@pytest.mark.usefixtures("old")
@pytest.mark.parametrize("damage", ["empty", "cut", "flipped", "text", "folder"])
def test_a_damaged_memory_is_ignored(folder: Path, read: list[str], damage: str) -> None:
    right = look(folder)
    memory = folder.parent / "state" / "files"
    raw = memory.read_bytes()
    if damage == "folder":
        memory.unlink()
        memory.mkdir()
    else:
        flipped = raw[:-3] + bytes([raw[-3] ^ 1]) + raw[-2:]
        memory.write_bytes({"empty": b"", "cut": raw[: len(raw) // 2], "flipped": flipped, "text": b"{}"}[damage])
    read.clear()
    assert look(folder) == right
    assert sorted(read) == ["a.csv", "b.csv", "c.csv"]
    if damage != "folder":
        assert memory.read_bytes() == raw


@pytest.mark.usefixtures("old")
def test_sources_share_a_memory(folder: Path, read: list[str]) -> None:
    root, memory = folder.parent, folder.parent / "memory"
    both = [data.fingerprint(source, root=root, memory=memory) for source in ("parts", "parts/a.csv")]
    read.clear()
    assert both == [data.fingerprint(source, root=root, memory=memory) for source in ("parts", "parts/a.csv")]
    assert read == []


@pytest.mark.usefixtures("old")
def test_a_memory_that_cannot_be_written_costs_only_time(folder: Path) -> None:
    blocked = folder.parent / "blocked"
    blocked.write_bytes(b"a file where a folder should be")
    found = data.fingerprint("parts", root=folder.parent, memory=blocked / "files")
    assert found == data.fingerprint("parts", root=folder.parent)


@pytest.mark.usefixtures("old")
def test_nothing_but_the_memory_is_left_behind(folder: Path) -> None:
    look(folder)
    (folder / "a.csv").write_text("x,y\n9,z\n", encoding="utf-8")
    look(folder)
    assert [entry.name for entry in (folder.parent / "state").iterdir()] == ["files"]


WRITER = """
import sys
from pathlib import Path
from trilho import data
from trilho.data import memory as remembering

remembering.STEP_OF_FILE_TIMES_NS = -(10**15)
root, name = Path(sys.argv[1]), sys.argv[2]
for turn in range(60):
    (root / name).write_text(f"x,y\\n{turn},{name}\\n" + "1,2\\n" * turn)
    with_memory = data.fingerprint(name, root=root, memory=root / "memory")
    assert with_memory == data.fingerprint(name, root=root), turn
    assert data.fingerprint("all", root=root, memory=root / "memory") == sys.argv[3], turn
"""


def test_processes_that_write_the_memory_at_once_never_read_a_wrong_content(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    for number in range(200):
        (tmp_path / "all" / f"{number}.csv").write_text(f"x\n{number}\n", encoding="utf-8")
    expected = data.fingerprint("all", root=tmp_path)
    commands = [[sys.executable, "-c", WRITER, str(tmp_path), f"{name}.csv", str(expected)] for name in "pqr"]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    failures = [process.communicate()[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], failures
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["all", "memory", "p.csv", "q.csv", "r.csv"]
    assert remembering._read(tmp_path / "memory")
