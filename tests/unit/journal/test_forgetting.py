from __future__ import annotations

from pathlib import Path

import pytest

from trilho.errors import BadFeedback, JournalUnwritable
from trilho.journal import Journal, Keeper, forget, read
from trilho.journal.folder import contents
from unit.journal.entries import KINDS, ids, in_parquet, journaled, numbers, tidied, wait_until


def on_disk(folder: Path) -> bytes:
    """Every byte of rows; a list of ids is none."""
    found = contents(folder)
    return b"".join(path.read_bytes() for path in (*found.streams, *found.replaced, *found.closed))


@pytest.mark.parametrize("kind", KINDS)
def test_forgotten_rows_are_read_by_nobody_at_once_and_leave_the_disk_at_the_next_round(
    tmp_path: Path, kind: str
) -> None:
    journaled(tmp_path, KINDS[kind]("closed", rows=4))
    tidied(tmp_path)
    journaled(tmp_path, KINDS[kind]("stream", rows=3))
    assert forget(tmp_path, ["closed-1", "stream-2", "closed-1"]) == 2
    left = ["closed-0", "closed-2", "closed-3", "stream-0", "stream-1"]
    assert sorted(ids(tmp_path)) == left
    assert Keeper(tmp_path).tidy(2000.0).forgotten == 1
    assert sorted(ids(tmp_path)) == left
    for path in in_parquet(tmp_path):
        assert not {"closed-1", "stream-2"} & set(_ids_in(path))


def _ids_in(path: Path) -> list[str]:
    import pyarrow.parquet as pq

    found: list[str] = pq.read_table(path, columns=["id"]).column("id").to_pylist()
    return found


def test_row_that_is_written_after_its_id_was_forgotten_is_not_read_either(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    forget(tmp_path, ["a-0"])
    journal.append(numbers("a", rows=2))
    wait_until(lambda: journal.state.written == 2)
    assert ids(tmp_path) == ["a-1"]
    tidied(tmp_path)
    assert b"a-0" in on_disk(tmp_path), "its file is still being written"
    journal.close()
    tidied(tmp_path)
    assert ids(tmp_path) == ["a-1"]
    assert [name for path in in_parquet(tmp_path) for name in _ids_in(path)] == ["a-1"]


def test_file_of_which_all_rows_are_forgotten_is_deleted(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("a", rows=2))
    tidied(tmp_path)
    journaled(tmp_path, numbers("b"))
    forget(tmp_path, ["a-0", "a-1", "b-0"])
    tidied(tmp_path)
    assert in_parquet(tmp_path) == []
    assert on_disk(tmp_path) == b""


def test_files_without_a_forgotten_row_are_not_written_again(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("a"))
    journaled(tmp_path, numbers("b", rows=2))
    tidied(tmp_path)
    before = {path: path.stat().st_ino for path in in_parquet(tmp_path)}
    forget(tmp_path, ["b-1"])
    tidied(tmp_path)
    changed = [path for path, number in before.items() if path.stat().st_ino != number]
    assert len(changed) == 1
    tidied(tmp_path)
    assert [path for path in changed if path.stat().st_ino == before[path]] == []
    assert sorted(ids(tmp_path)) == ["a-0", "b-0"]


def test_time_of_change_of_a_file_stays_that_of_its_last_row(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("a", at=500.0), numbers("b", at=600.0))
    tidied(tmp_path)
    forget(tmp_path, ["b-0"])
    tidied(tmp_path)
    [path] = in_parquet(tmp_path)
    assert path.stat().st_mtime == 500.0


def test_forgotten_in_one_folder_is_forgotten_in_all_that_are_read_together(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    for folder, name in zip(folders, "ab", strict=True):
        journaled(folder, numbers(name, rows=2))
    forget(folders[0], ["a-0", "b-1"])
    assert [str(name) for rows in read(folders, since=0, until=1e11) for name in rows.ids] == ["a-1", "b-0"]


def test_nothing_to_forget_leaves_nothing(tmp_path: Path) -> None:
    assert forget(tmp_path / "journal", []) == 0
    assert not (tmp_path / "journal").exists()


def test_id_that_cannot_be_one_is_refused_and_nothing_is_forgotten(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("a"))
    with pytest.raises(BadFeedback, match="not a prediction id"):
        forget(tmp_path, ["a-0", "b\nc"])
    assert ids(tmp_path) == ["a-0"]


def test_ids_that_cannot_be_written_are_said(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("in the way")
    with pytest.raises(JournalUnwritable, match="Nothing was forgotten"):
        forget(tmp_path / "journal", ["a-0"])
