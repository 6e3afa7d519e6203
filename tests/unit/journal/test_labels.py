from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trilho.errors import BadFeedback, JournalUnreadable, JournalUnwritable
from trilho.journal import LabelledRows, TrueLabel, forget, label, read_labelled, read_truth
from trilho.journal.labelling import Label
from unit.journal.entries import KINDS, journaled, mixed, numbers, tidied


def true(name: str, value: Label, at: float = 2000.0) -> TrueLabel:
    return TrueLabel(id=name, label=value, time=at)


def labelled(folder: Path) -> dict[str, object]:
    parts: list[LabelledRows] = list(read_labelled(folder, since=0, until=1e11))
    return {str(name): value for part in parts for name, value in zip(part.rows.ids, part.truth.tolist(), strict=True)}


@pytest.mark.parametrize("kind", KINDS)
def test_labels_join_their_rows_however_late_they_come(tmp_path: Path, kind: str) -> None:
    journaled(tmp_path, KINDS[kind]("a", rows=4))
    tidied(tmp_path)
    journaled(tmp_path, KINDS[kind]("b", rows=2, at=1500.0))
    assert label(tmp_path, [true("a-1", 1), true("b-0", 0, at=9e8)]) == 2
    [first, second] = read_labelled(tmp_path, since=0, until=1e11)
    assert first.rows.ids.tolist() == ["a-1"]
    assert first.truth.tolist() == [1]
    assert first.truth.dtype == np.int64
    assert all(len(values) == 1 for values in first.rows.columns.values())
    assert second.rows.ids.tolist() == ["b-0"]
    assert second.times.astype("datetime64[s]").astype(int).tolist() == [9 * 10**8]


def test_window_is_about_predictions_not_about_labels(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("early", at=10.0), numbers("late", at=20.0))
    label(tmp_path, [true("early-0", 1), true("late-0", 1)])
    [found] = read_labelled(tmp_path, since=15.0, until=25.0)
    assert found.rows.ids.tolist() == ["late-0"]


def test_last_of_repeated_labels_wins_and_both_are_kept(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("a", rows=3))
    label(tmp_path, [true("a-0", 0, at=30.0), true("a-1", 0, at=30.0)])
    label(tmp_path, [true("a-0", 1, at=40.0), true("a-1", 1, at=20.0)])
    label(tmp_path, [true("a-2", 0), true("a-2", 1)])
    assert labelled(tmp_path) == {"a-0": 1, "a-1": 0, "a-2": 1}, "by time; of one time the last that was written"
    truth = read_truth(tmp_path)
    assert (truth.labels, truth.repeated) == (6, 3)
    [path] = tmp_path.glob("labels-*.jsonl")
    assert len(path.read_text().splitlines()) == 6


def test_label_of_an_unknown_prediction_is_kept_and_counted(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("a"))
    label(tmp_path, [true("a-0", 1), true("stranger-0", 1), true("stranger-0", 0)])
    truth = read_truth(tmp_path)
    list(read_labelled(tmp_path, since=0, until=1e11, truth=truth))
    assert truth.unmatched == 1
    journaled(tmp_path, numbers("stranger"))
    assert set(labelled(tmp_path)) == {"a-0", "stranger-0"}, "its prediction came later than its label"


@pytest.mark.parametrize(
    ("values", "dtype"),
    [([True, False], bool), ([1, 0], np.int64), ([1, 0.5], np.float64), (["yes", "no"], object), ([1, "no"], object)],
)
def test_truth_has_the_type_of_the_labels(tmp_path: Path, values: list[Label], dtype: type) -> None:
    journaled(tmp_path, numbers("a", rows=2))
    label(tmp_path, [true(f"a-{row}", value) for row, value in enumerate(values)])
    [found] = read_labelled(tmp_path, since=0, until=1e11)
    assert found.truth.dtype == dtype
    assert found.truth.tolist() == values


def test_labels_of_several_replicas_meet(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two"]
    journaled(folders[0], numbers("a"))
    journaled(folders[1], numbers("b"))
    label(folders[0], [true("b-0", 1, at=10.0)])
    label(folders[1], [true("a-0", 1), true("b-0", 0, at=20.0)])
    found = {str(name): value for part in read_labelled(folders, since=0, until=1e11)
             for name, value in zip(part.rows.ids, part.truth, strict=True)}  # fmt: skip
    assert found == {"a-0": 1, "b-0": 0}


def test_line_that_a_kill_cut_off_costs_only_itself(tmp_path: Path) -> None:
    label(tmp_path, [true("a-0", 1)])
    [path] = tmp_path.glob("labels-*.jsonl")
    path.write_bytes(path.read_bytes() + b'{"id":"b-0","la')
    label(tmp_path, [true("c-0", 1)])
    truth = read_truth(tmp_path)
    assert (truth.labels, truth.damaged) == (2, 1)


@settings(max_examples=30, deadline=None)
@given(cut=st.integers(0, 400))
def test_log_cut_anywhere_gives_the_labels_before_the_cut(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    folder = tmp_path_factory.mktemp("journal")
    label(folder, [true(f"a-{row}", row, at=float(row)) for row in range(10)])
    [path] = folder.glob("labels-*.jsonl")
    content = path.read_bytes()
    path.write_bytes(content[:cut])
    whole = content[:cut].count(b"\n") + (content[cut : cut + 1] == b"\n")
    truth = read_truth(folder)
    assert truth.labels == whole
    assert truth.damaged == (0 < cut < len(content) and content[cut - 1 : cut + 1].count(b"\n") == 0)
    label(folder, [true("next-0", 1)])
    assert read_truth(folder).labels == whole + 1


def test_labels_of_many_threads_and_processes_all_arrive(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from trilho.journal import TrueLabel, label
for number in range(50):
    label(Path(sys.argv[1]), [TrueLabel(id=f"{sys.argv[2]}-{number}", label="x" * 50, time=1.0)])
"""
    processes = [subprocess.Popen([sys.executable, "-c", script, str(tmp_path), f"p{number}"]) for number in range(2)]
    threads = [
        threading.Thread(target=lambda name=name: [label(tmp_path, [true(f"t{name}-{i}", 1)]) for i in range(25)])
        for name in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [process.wait() for process in processes] == [0, 0]
    truth = read_truth(tmp_path)
    assert (truth.labels, truth.repeated, truth.damaged) == (200, 0, 0)


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is a Unix thing")
def test_what_was_taken_outlives_a_kill(tmp_path: Path) -> None:
    script = """
import sys
from pathlib import Path
from trilho.journal import TrueLabel, label
number = 0
while True:
    label(Path(sys.argv[1]), [TrueLabel(id=f"a-{number}", label=1, time=1.0)])
    print(number, flush=True)
    number += 1
"""
    process = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while int(process.stdout.readline()) < 20:
        continue
    process.send_signal(signal.SIGKILL)
    told = [int(line) for line in process.stdout.read().split()]
    process.wait()
    process.stdout.close()
    truth = read_truth(tmp_path)
    assert truth.labels >= max(told, default=20) + 1
    began = time.monotonic()
    label(tmp_path, [true("next-0", 1)])
    assert time.monotonic() - began < 60, "the lock of the dead one is free"


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are a Unix thing")
def test_full_disk_takes_all_labels_of_a_request_or_none(tmp_path: Path) -> None:
    script = """
import resource, sys
from pathlib import Path
from trilho.errors import JournalUnwritable
from trilho.journal import TrueLabel, label
resource.setrlimit(resource.RLIMIT_FSIZE, (5_000, 5_000))
many = [TrueLabel(id=f"a-{row}", label=1, time=1.0) for row in range(100)]
label(Path(sys.argv[1]), many)
try:
    label(Path(sys.argv[1]), many)
except JournalUnwritable as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert "None of them was taken" in done.stdout
    truth = read_truth(tmp_path)
    assert (truth.labels, truth.repeated, truth.damaged) == (100, 0, 0)


def test_folder_in_the_way_is_said(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file")
    with pytest.raises(JournalUnwritable, match="could not be written"):
        label(tmp_path / "journal", [true("a-0", 1)])


def test_file_that_may_not_be_read_is_said(tmp_path: Path) -> None:
    (tmp_path / "labels-2026-01-01.jsonl").mkdir()
    with pytest.raises(JournalUnreadable, match="cannot be read"):
        read_truth(tmp_path)


@pytest.mark.parametrize("name", ["", "a\nb", "x" * 201, 3, None])
def test_id_that_cannot_be_one_is_refused_and_nothing_is_taken(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadFeedback, match="not a prediction id"):
        label(tmp_path, [true("a-0", 1), true(name, 1)])
    assert read_truth(tmp_path).labels == 0


def test_lines_are_for_other_tools_too(tmp_path: Path) -> None:
    label(tmp_path, [true("ã-0", "não")])
    [path] = tmp_path.glob("labels-*.jsonl")
    assert json.loads(path.read_text(encoding="utf-8")) == {"id": "ã-0", "label": "não", "time": 2000.0}


def test_forgotten_labels_are_not_read_and_leave_the_disk(tmp_path: Path) -> None:
    journaled(tmp_path, mixed("a", rows=3))
    label(tmp_path, [true(f"a-{row}", "yes") for row in range(3)])
    forget(tmp_path, ["a-1"])
    assert set(labelled(tmp_path)) == {"a-0", "a-2"}
    assert read_truth(tmp_path).labels == 2
    tidied(tmp_path)
    [path] = tmp_path.glob("labels-*.jsonl")
    assert "a-1" not in path.read_text()
    assert set(labelled(tmp_path)) == {"a-0", "a-2"}
    label(tmp_path, [true("a-1", "no")])
    assert set(labelled(tmp_path)) == {"a-0", "a-2"}, "a label that comes after"
