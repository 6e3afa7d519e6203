from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import pytest

from ordinary_user import as_ordinary_user
from trilho.journal import Journal, Keeper, TrueLabel, forget, label
from trilho.journal.folder import closed_path, partial_path
from trilho.journal.locks import keeper_lock
from unit.journal.entries import ids, in_parquet, journaled, numbers, wait_until

DAY = 86_400.0


def put_in_the_way(stream: Path) -> Path:
    """A folder where the keeper would write the stream's Parquet file."""
    obstacle = partial_path(closed_path(stream))
    obstacle.mkdir(parents=True)
    return obstacle


def test_no_folder_is_nothing_to_do(tmp_path: Path) -> None:
    state = Keeper(tmp_path / "nowhere").tidy(0.0)
    assert (state.problem, state.closed, state.bytes) == ("", 0, 0)
    assert not (tmp_path / "nowhere").exists()


def test_rows_are_deleted_when_they_are_older_than_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for day in range(4):
        journaled(tmp_path, numbers(f"day{day}", at=1e6 + day * DAY))
    keeper = Keeper(tmp_path, keep=2 * DAY)
    with caplog.at_level(logging.INFO, "trilho.journal"):
        keeper.tidy(1e6)
        assert len(ids(tmp_path)) == 4
        state = keeper.tidy(1e6 + 3.5 * DAY)
    assert sorted(ids(tmp_path)) == ["day2-0", "day3-0"]
    assert state.deleted == 2
    assert state.deleted_bytes > 0
    assert "older than journal.keep" in caplog.text


def test_none_is_deleted_for_its_age_where_all_are_kept(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("old", at=1000.0))
    keeper = Keeper(tmp_path, keep=None)
    keeper.tidy(1e9)
    keeper.tidy(1e10)
    assert ids(tmp_path) == ["old-0"]


def test_oldest_are_deleted_first_when_there_are_too_many(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in (3, 0, 2, 1):  # names are in the order of writing, times are not
        journaled(tmp_path, numbers(f"r{number}", rows=50, at=1000.0 + number))
    Keeper(tmp_path).tidy(2000.0)
    sizes = [path.stat().st_size for path in in_parquet(tmp_path)]
    keeper = Keeper(tmp_path, max_bytes=sum(sizes) - 1)
    with caplog.at_level(logging.INFO, "trilho.journal"):
        assert keeper.tidy(2000.0).deleted == 1
    assert sorted({name.split("-")[0] for name in ids(tmp_path)}) == ["r1", "r2", "r3"]
    assert "journal.max_bytes" in caplog.text
    state = Keeper(tmp_path, max_bytes=max(sizes)).tidy(2000.0)
    assert {name.split("-")[0] for name in ids(tmp_path)} == {"r3"}
    assert state.bytes <= max(sizes)


def test_file_being_written_is_never_deleted(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(numbers("a", rows=100))
    wait_until(lambda: journal.state.written == 100)
    state = Keeper(tmp_path, max_bytes=1, keep=1.0).tidy(1e10)
    assert state.deleted == 0
    assert len(ids(tmp_path)) == 100
    journal.close()


def test_closed_stream_that_could_not_become_parquet_is_deleted_like_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in_the_way(journaled(tmp_path, numbers("a", rows=100)))
    keeper = Keeper(tmp_path)
    assert "predictions" in keeper.tidy(2000.0).problem
    keeper.max_bytes = 10
    assert keeper.tidy(2040.0).deleted == 1
    assert ids(tmp_path) == []


def test_labels_age_too(tmp_path: Path) -> None:
    label(tmp_path, [TrueLabel(id="a-0", label=1, time=5.0)])
    [path] = tmp_path.glob("labels-*.jsonl")
    os.utime(path, (1e6, 1e6))
    keeper = Keeper(tmp_path, keep=DAY)
    keeper.tidy(1e6)
    assert path.exists()
    assert keeper.tidy(1e6 + 2 * DAY).deleted == 1
    assert not path.exists()


def test_lists_of_forgotten_ids_stay_a_day_longer_than_any_row(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("a", rows=2, at=1e6))
    forget(tmp_path, ["a-0"])
    [path] = tmp_path.glob("forgotten-*.txt")
    os.utime(path, (1e6, 1e6))
    keeper = Keeper(tmp_path, keep=DAY)
    keeper.tidy(1e6)
    keeper.tidy(1e6 + 1.5 * DAY)
    assert path.exists()
    keeper.tidy(1e6 + 2.5 * DAY)
    assert list(tmp_path.glob("forgotten-*")) == []


def test_one_keeper_at_a_time(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("a"))
    with keeper_lock(tmp_path):
        state = Keeper(tmp_path).tidy(2000.0)
    assert (state.closed, state.problem) == (0, "")
    assert Keeper(tmp_path).tidy(2000.0).closed == 1


def test_trouble_is_said_once_and_tried_again_after_a_minute(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    obstacle = put_in_the_way(journaled(tmp_path, numbers("a")))
    keeper = Keeper(tmp_path)
    for second in range(3):
        assert keeper.tidy(2000.0 + second).problem != ""
    assert caplog.text.count("cannot be kept") == 1
    obstacle.rmdir()
    assert keeper.tidy(2030.0).problem != "", "too early"
    assert keeper.tidy(2062.0).problem == ""
    assert "is kept again" in caplog.text
    assert ids(tmp_path) == ["a-0"]


def test_clock_set_back_does_not_stop_the_keeper(tmp_path: Path) -> None:
    obstacle = put_in_the_way(journaled(tmp_path, numbers("a")))
    keeper = Keeper(tmp_path)
    keeper.tidy(1e9)
    obstacle.rmdir()
    assert keeper.tidy(1000.0).closed == 1


def test_stream_whose_writer_cannot_be_asked_for_does_not_keep_others_from_being_closed(tmp_path: Path) -> None:
    strange = journaled(tmp_path, numbers("a"))
    strange.with_suffix(".lock").mkdir()
    journaled(tmp_path, numbers("b"))
    state = Keeper(tmp_path).tidy(2000.0)
    assert state.closed == 1
    assert state.problem != ""
    assert sorted(ids(tmp_path)) == ["a-0", "b-0"]


def test_damaged_stream_does_not_keep_others_from_being_closed(tmp_path: Path) -> None:
    import pyarrow as pa

    with pa.ipc.new_stream(tmp_path / "predictions-0-foreign.arrows", pa.schema([("x", pa.int64())])) as stream:
        stream.write_batch(pa.record_batch({"x": [1]}))
    journaled(tmp_path, numbers("a"))
    state = Keeper(tmp_path).tidy(2000.0)
    assert state.closed == 1
    assert state.problem != ""


@pytest.mark.skipif(sys.platform == "win32", reason="modes of POSIX")
def test_folder_that_may_not_be_written_is_a_problem_and_no_error() -> None:
    with as_ordinary_user() as folder:
        journaled(folder, numbers("a"))
        folder.chmod(0o500)
        assert "Permission denied" in Keeper(folder).tidy(2000.0).problem


def test_keeper_with_nothing_to_do_loads_neither_pyarrow_nor_numpy(tmp_path: Path) -> None:
    import subprocess

    journaled(tmp_path, numbers("a"))
    Keeper(tmp_path).tidy(2000.0)
    script = """
import sys
from pathlib import Path
from trilho.journal import Keeper
assert Keeper(Path(sys.argv[1])).tidy(2000.0).problem == ""
print(sorted({"pyarrow", "numpy"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
