from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from trilho.journal import Journal, read, writing
from trilho.journal.segment import Segment
from unit.journal.entries import everything, ids, numbers, wait_until


def test_rows_of_a_killed_process_stay_readable(tmp_path: Path) -> None:
    script = """
import os, sys, time, numpy
from pathlib import Path
from trilho.journal import Answered, Features, Journal
journal = Journal(Path(sys.argv[1]))
for number in range(3):
    journal.append(Answered(request=f"r{number}", time=10.0, model="m", version="1", latency=0.0,
                            features=Features.of({"x": numpy.ones(2)}), labels=numpy.ones(2)))
    while journal.state.written < 2 * (number + 1):
        time.sleep(0.01)
print("written", flush=True)
time.sleep(3600)
"""
    with subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"written\n"
        process.kill()
    assert ids(tmp_path) == [f"r{number}-{row}" for number in range(3) for row in range(2)]


def test_file_cut_anywhere_is_read_up_to_the_last_whole_batch(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(3):
        journal.append(numbers(f"r{number}"))
        wait_until(lambda number=number: journal.state.written == number + 1)
    journal.close()
    [path] = tmp_path.iterdir()
    content = path.read_bytes()
    seen = set()
    for length in range(0, len(content), 7):
        path.write_bytes(content[:length])
        found = ids(tmp_path)
        assert found == [f"r{number}-0" for number in range(len(found))]
        seen.add(len(found))
    assert seen == {0, 1, 2, 3}


def test_folder_that_cannot_be_written_loses_rows_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file where the folder should be")
    journal = Journal(tmp_path / "journal")
    journal.append(numbers("a", rows=3))
    wait_until(lambda: journal.state.lost == 3)
    assert "journal" in journal.state.problem
    journal.close()
    assert journal.state.waiting == 0


def test_journal_goes_on_in_a_new_file_when_the_disk_has_room_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writing, "RETRY_SECONDS", 0.0)
    folder = tmp_path / "journal"
    folder.write_text("in the way")
    journal = Journal(folder)
    journal.append(numbers("lost"))
    wait_until(lambda: journal.state.lost == 1)
    folder.unlink()
    journal.append(numbers("kept"))
    wait_until(lambda: journal.state.written == 1)
    assert journal.state.problem == ""
    journal.close()
    assert ids(folder) == ["kept-0"]


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are a Unix thing")
def test_full_disk_keeps_what_was_written_and_stops_nothing(tmp_path: Path) -> None:
    """A limit on the size of files gives the same error at the same place as a disk without room."""
    script = """
import resource, sys, time, numpy
from pathlib import Path
from trilho.journal import Answered, Features, Journal
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
journal = Journal(Path(sys.argv[1]))
def answer(name, rows):
    journal.append(Answered(request=name, time=10.0, model="m", version="1", latency=0.0,
                            features=Features.of({"x": numpy.ones(rows)}), labels=numpy.ones(rows)))
    while journal.state.waiting:
        time.sleep(0.01)
answer("fits", 10)
answer("big", 5_000)
state = journal.state
journal.close()
print(state.written, state.lost, state.problem)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    written, lost, problem = done.stdout.split(maxsplit=2)
    assert (written, lost) == ("10", "5000")
    assert "File too large" in problem
    assert "answers go on" in done.stderr
    assert ids(tmp_path) == [f"fits-{row}" for row in range(10)]


def test_rows_above_the_limit_in_memory_are_lost_counted_and_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(writing, "MOST_WAITING", 5)
    monkeypatch.setattr(writing, "FLUSH_SECONDS", 3600.0)
    journal = Journal(tmp_path)
    journal.append(numbers("a", rows=4))
    journal.append(numbers("b", rows=20))
    assert (journal.state.waiting, journal.state.lost) == (24, 0), "one request, however large, has its place"
    for name in ("c", "d"):
        journal.append(numbers(name, rows=4))
    assert (journal.state.waiting, journal.state.lost) == (24, 8)
    assert "wait to be written" in journal.state.problem
    assert [record.message.startswith("Rows of the journal") for record in caplog.records] == [True]
    journal.close()
    assert len(ids(tmp_path)) == 24
    assert journal.state.problem == ""
    assert "8 rows were lost so far" in caplog.records[-1].message


def test_what_comes_after_closing_is_counted_as_lost(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.close()
    journal.append(numbers())
    journal.close()
    assert journal.state.lost == 1
    assert everything(tmp_path) == []


def test_abandoned_segment_without_rows_leaves_no_file(tmp_path: Path) -> None:
    Segment(tmp_path, pa.schema([("x", pa.int64())])).abandon()
    assert list(tmp_path.iterdir()) == []


def test_file_that_is_deleted_while_the_journal_is_read_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        journal = Journal(tmp_path)
        journal.append(numbers(name))
        journal.close()
    found = read(tmp_path, since=0, until=1e11)
    next(found)
    for path in tmp_path.iterdir():
        path.unlink()
    assert list(found) == []
