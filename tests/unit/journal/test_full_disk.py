"""A disk that is really full: a small one in memory, which only root may have."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from small_disk import small_disk
from trilho.errors import JournalUnwritable
from trilho.journal import Journal, Keeper, TrueLabel, forget, label, read_truth, writing
from unit.journal.entries import ids, in_parquet, journaled, numbers, tidied, wait_until

MEGABYTE = 1 << 20


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB."""
    with small_disk(tmp_path / "disk", "size=4m,nr_inodes=1000") as folder:
        yield folder


def fill(disk: Path, leave: int) -> Path:
    """Take all of the disk but some bytes; deleting the file makes room again."""
    path = disk / "filled"
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(65_536))
        except OSError:
            file.truncate(max(0, file.tell() // 4096 * 4096 - leave))
    return path


def test_full_disk_stops_the_journal_and_room_starts_it_again(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "RETRY_SECONDS", 0.1)
    journal = Journal(disk / "journal")
    journal.append(numbers("before", rows=10))
    wait_until(lambda: journal.state.written == 10)
    filled = fill(disk, 0)
    journal.append(numbers("lost", rows=20_000))
    wait_until(lambda: journal.state.lost == 20_000)
    assert "No space left" in journal.state.problem
    assert len(ids(disk / "journal")) == 10, "what was written stays readable"
    filled.unlink()
    journal.append(numbers("after", rows=10))
    wait_until(lambda: journal.state.written == 20)
    assert journal.state.problem == ""
    journal.close()
    assert {name.split("-")[0] for name in ids(disk / "journal")} == {"before", "after"}
    tidied(disk / "journal")
    assert len(ids(disk / "journal")) == 20


def test_keeper_leaves_rows_as_they_are_until_there_is_room_for_their_parquet_file(disk: Path) -> None:
    journaled(disk / "journal", numbers("a", rows=20_000))
    filled = fill(disk, 20_000)
    keeper = Keeper(disk / "journal")
    assert "No space left" in keeper.tidy(2000.0).problem
    assert len(ids(disk / "journal")) == 20_000
    assert [path.name for path in in_parquet(disk / "journal")] == [], "nothing half-written is left to fill the disk"
    filled.unlink()
    assert keeper.tidy(2061.0).problem == ""
    assert len(in_parquet(disk / "journal")) == 1
    assert len(ids(disk / "journal")) == 20_000


def test_forgetting_on_a_full_disk_is_refused_whole_or_kept_for_when_there_is_room(disk: Path) -> None:
    journaled(disk / "journal", numbers("a", rows=20_000))
    tidied(disk / "journal")
    filled = fill(disk, 0)
    with pytest.raises(JournalUnwritable, match="Nothing was forgotten"):
        forget(disk / "journal", [f"a-{row}" for row in range(1000)])
    assert len(ids(disk / "journal")) == 20_000
    filled.unlink()
    forget(disk / "journal", ["a-7"])
    filled = fill(disk, 0)
    keeper = Keeper(disk / "journal")
    assert "No space left" in keeper.tidy(2000.0).problem
    assert len(ids(disk / "journal")) == 19_999
    filled.unlink()
    assert keeper.tidy(2061.0).forgotten == 1
    assert len(ids(disk / "journal")) == 19_999


def test_labels_on_a_full_disk_are_refused_and_those_before_stay(disk: Path) -> None:
    label(disk / "journal", [TrueLabel(id="a-0", label=1, time=1.0)])
    filled = fill(disk, 0)
    with pytest.raises(JournalUnwritable, match="None of them was taken"):
        label(disk / "journal", [TrueLabel(id=f"b-{row}", label=1, time=1.0) for row in range(1000)])
    truth = read_truth(disk / "journal")
    assert (truth.labels, truth.damaged) == (1, 0)
    filled.unlink()
    label(disk / "journal", [TrueLabel(id="c-0", label=1, time=1.0)])
    assert read_truth(disk / "journal").labels == 2


def test_bound_holds_while_much_more_than_fits_is_answered(disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SEGMENT_BYTES", MEGABYTE // 8)
    monkeypatch.setattr(writing, "FLUSH_SECONDS", 0.01)
    journal = Journal(disk / "journal")
    keeper = Keeper(disk / "journal", max_bytes=2 * MEGABYTE, keep=None)
    for number in range(60):
        journal.append(numbers(f"r{number}", rows=2_000))
        wait_until(lambda number=number: journal.state.written == 2_000 * (number + 1))
        assert keeper.tidy(2000.0).problem == ""
    journal.close()
    assert journal.state.lost == 0
    assert keeper.tidy(2000.0).bytes <= 2 * MEGABYTE
    assert "r59-0" in set(ids(disk / "journal"))
