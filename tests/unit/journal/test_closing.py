from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from trilho.journal import Answered, Features, Journal, Keeper, read
from trilho.journal.folder import contents
from unit.journal.entries import KINDS, everything, ids, in_parquet, journaled, numbers, same, tidied, wait_until


@pytest.mark.parametrize("kind", KINDS)
def test_closed_file_becomes_parquet_and_reads_the_same(tmp_path: Path, kind: str) -> None:
    journaled(tmp_path, KINDS[kind]("a", rows=7), KINDS[kind]("b", rows=2, version="4", at=1001.5))
    [before] = everything(tmp_path)
    tidied(tmp_path)
    [after] = everything(tmp_path)
    same(before, after)
    assert [path.suffix for path in in_parquet(tmp_path)] == [".parquet"]
    assert list(tmp_path.glob("*.arrows")) == []


def test_parquet_files_are_a_table_for_other_tools(tmp_path: Path) -> None:
    journaled(tmp_path, KINDS["categories and missing"]("a", rows=3))
    tidied(tmp_path)
    frame = pd.read_parquet(tmp_path / "predictions")
    assert frame["id"].tolist() == ["a-0", "a-1", "a-2"]
    assert frame["features.city"].isna().tolist() == [False, False, True]
    assert frame["prediction"].tolist() == ["no", "yes", "no"]
    [path] = in_parquet(tmp_path)
    assert pq.read_metadata(path).row_group(0).column(0).compression == "ZSTD"


def test_open_file_is_left_alone_until_its_writer_closes_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(numbers("a"))
    wait_until(lambda: journal.state.written == 1)
    tidied(tmp_path)
    assert in_parquet(tmp_path) == []
    journal.append(numbers("b"))
    journal.close()
    tidied(tmp_path)
    assert len(in_parquet(tmp_path)) == 1
    assert ids(tmp_path) == ["a-0", "b-0"]


def test_file_that_is_old_is_closed_although_no_row_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.append(numbers("a"))
    wait_until(lambda: journal.state.written == 1)
    tidied(tmp_path)
    monkeypatch.setattr("trilho.journal.writing.SEGMENT_SECONDS", 0.0)
    wait_until(lambda: Keeper(tmp_path).tidy(2000.0).closed == 1)
    journal.close()
    assert ids(tmp_path) == ["a-0"]


def test_file_that_its_writer_abandoned_is_closed_while_the_writer_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trilho.journal.writing.RETRY_SECONDS", 0.0)
    journal = Journal(tmp_path)
    journal.append(numbers("a"))
    wait_until(lambda: journal.state.written == 1)
    with monkeypatch.context() as full:
        full.setattr("trilho.journal.segment.Segment.append", _no_room)
        journal.append(numbers("lost"))
        wait_until(lambda: journal.state.lost == 1)
    journal.append(numbers("b"))
    wait_until(lambda: journal.state.written == 2)
    tidied(tmp_path)
    assert len(in_parquet(tmp_path)) == 1
    journal.close()
    assert sorted(ids(tmp_path)) == ["a-0", "b-0"]


def _no_room(*_: object) -> None:
    raise OSError(28, "No space left on device")


def test_file_that_is_cut_off_keeps_the_rows_before_the_cut(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(2):
        journal.append(numbers(f"r{number}"))
        wait_until(lambda number=number: journal.state.written == number + 1)
    journal.close()
    [path] = tmp_path.glob("*.arrows")
    path.write_bytes(path.read_bytes()[:-100])
    tidied(tmp_path)
    assert ids(tmp_path) == ["r0-0"]


def test_file_without_rows_leaves_nothing(tmp_path: Path) -> None:
    path = journaled(tmp_path, numbers())
    path.write_bytes(path.read_bytes()[:50])
    tidied(tmp_path)
    assert in_parquet(tmp_path) == []
    assert everything(tmp_path) == []


def test_versions_of_one_file_may_know_different_numbers_of_labels(tmp_path: Path) -> None:
    def entry(request: str, labels: int) -> Answered:
        features = Features.of({"x": np.ones(2)})
        return Answered(request=request, time=9.0, model="m", version=str(labels), latency=0.0, features=features,
                        labels=np.zeros(2), probabilities=np.ones((2, labels)))  # fmt: skip

    journaled(tmp_path, entry("a", 2), entry("b", 3), entry("c", 2))
    for _ in range(2):
        widths = {str(name): rows.probabilities.shape[1] for rows in everything(tmp_path) for name in rows.ids}
        assert widths == {"a-0": 2, "a-1": 2, "b-0": 3, "b-1": 3, "c-0": 2, "c-1": 2}
        tidied(tmp_path)


def test_every_reading_finds_each_row_once_while_files_are_closed(tmp_path: Path) -> None:
    for number in range(30):
        journaled(tmp_path, numbers(f"r{number}", rows=3))
    expected = Counter(ids(tmp_path))
    assert set(expected.values()) == {1}
    done = threading.Event()
    wrong: list[Counter[str]] = []
    readings = 0

    def look() -> None:
        nonlocal readings
        while not done.is_set():
            found = Counter(ids(tmp_path))
            if found != expected:
                wrong.append(found - expected or expected - found)
            readings += 1

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    tidied(tmp_path)
    deadline = time.monotonic() + 60
    while readings < 4:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    done.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(in_parquet(tmp_path)) == 30


def test_file_that_is_closed_between_listing_and_reading_is_read_as_parquet(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("a"))
    journaled(tmp_path, numbers("b"))
    reading = read(tmp_path, since=0, until=1e11)
    first = next(reading)
    tidied(tmp_path)
    rest = [str(name) for rows in reading for name in rows.ids]
    assert sorted([str(first.ids[0]), *rest]) == ["a-0", "b-0"]


def test_stream_beside_its_parquet_file_is_not_read_and_soon_removed(tmp_path: Path) -> None:
    stream = journaled(tmp_path, numbers("a", rows=2))
    content = stream.read_bytes()
    tidied(tmp_path)
    stream.write_bytes(content)
    assert ids(tmp_path) == ["a-0", "a-1"]
    assert len(contents(tmp_path).replaced) == 1
    tidied(tmp_path)
    assert list(tmp_path.glob("*.arrows")) == []
    assert ids(tmp_path) == ["a-0", "a-1"]


def test_time_of_change_is_the_time_of_the_last_row(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("a", at=500.25), numbers("b", at=123.0))
    tidied(tmp_path)
    [path] = in_parquet(tmp_path)
    assert path.stat().st_mtime == 500.25
