from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trilho.errors import JournalUnreadable
from trilho.journal import Answered, Features, Journal, Rows, closing, read, summarize
from trilho.journal.segment import Segment
from unit.journal.entries import KINDS, everything, ids, in_parquet, mixed, numbers, tidied


def journaled(folder: Path, *entries: Answered) -> None:
    """The entries in closed files, one for each schema."""
    journal = Journal(folder)
    for entry in entries:
        journal.append(entry)
    journal.close()


def found(folder: Path, **wanted: object) -> list[str]:
    return [str(name) for rows in read(folder, **{"since": 0, "until": 1e11, **wanted}) for name in rows.ids]  # type: ignore[arg-type]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, list[str]]]:
    """Every group of rows that is read from a Parquet file: its number, and the columns."""
    seen: list[tuple[int, list[str]]] = []
    original = pq.ParquetFile.iter_batches

    def watched(self: pq.ParquetFile, *args: object, **named: object) -> object:
        seen.append((named["row_groups"][0], named["columns"]))  # type: ignore[index, arg-type]
        return original(self, *args, **named)

    monkeypatch.setattr(pq.ParquetFile, "iter_batches", watched)
    return seen


@pytest.mark.parametrize("closed", [False, True])
def test_window_holds_its_beginning_and_not_its_end(tmp_path: Path, closed: bool) -> None:
    journaled(tmp_path, *(numbers(f"at{second}", at=second) for second in (9.0, 10.0, 19.999999, 20.0)))
    if closed:
        tidied(tmp_path)
    assert found(tmp_path, since=10, until=20) == ["at10.0-0", "at19.999999-0"]


@pytest.mark.parametrize("closed", [False, True])
def test_rows_of_one_version_or_model_are_read_alone(tmp_path: Path, closed: bool) -> None:
    journaled(tmp_path, numbers("a", version="9"), numbers("b", version="10", rows=2), mixed("c", version="10"))
    journaled(tmp_path, mixed("d", version="10"))
    if closed:
        tidied(tmp_path)
    assert sorted(found(tmp_path, version="10")) == ["b-0", "b-1", "c-0", "d-0"]
    assert found(tmp_path, version="10", model="cancer") == ["b-0", "b-1"]
    assert found(tmp_path, version="1") == []


@pytest.mark.parametrize("closed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_columns_that_are_asked_for_come_alone(tmp_path: Path, kind: str, closed: bool) -> None:
    journaled(tmp_path, KINDS[kind]("a", rows=4))
    [whole] = everything(tmp_path)
    names = list(whole.columns)[1:3]
    if closed:
        tidied(tmp_path)
    [part] = read(tmp_path, since=0, until=1e11, columns=[*names, "no such feature"])
    assert list(part.columns) == names
    for name in names:
        np.testing.assert_array_equal(part.columns[name], whole.columns[name])
    [bare] = read(tmp_path, since=0, until=1e11, columns=())
    assert dict(bare.columns) == {}
    assert bare.labels.tolist() == whole.labels.tolist()


def test_columns_that_changed_between_versions_come_apart(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("a", version="1", columns=2), numbers("b", version="2", columns=3))
    tidied(tmp_path)
    journaled(tmp_path, numbers("c", version="3", columns=1))
    widths = {str(rows.versions[0]): list(rows.columns) for rows in everything(tmp_path)}
    assert widths == {"1": ["x0", "x1"], "2": ["x0", "x1", "x2"], "3": ["x0"]}
    assert [list(rows.columns) for rows in read(tmp_path, since=0, until=1e11, version="2", columns=["x2"])] == [["x2"]]


def test_feature_of_another_type_in_another_version_is_read_as_it_was(tmp_path: Path) -> None:
    for version, values in {"1": np.array([1.5]), "2": np.array(["one"], dtype=object)}.items():
        features = Features.of({"x": values})
        journaled(tmp_path, Answered(request=version, time=1.0, model="m", version=version, latency=0.0,
                                     features=features, labels=np.ones(1)))  # fmt: skip
    tidied(tmp_path)
    assert {str(rows.versions[0]): rows.columns["x"].tolist() for rows in everything(tmp_path)} == {
        "1": [1.5],
        "2": ["one"],
    }


def test_names_of_features_may_hold_anything(tmp_path: Path) -> None:
    names = ["a", "a.b", "features.a", "id", "", "ã\n", "x" * 500]
    features = Features.of({name: np.array([float(place)]) for place, name in enumerate(names)})
    journaled(tmp_path, Answered(request="r", time=1.0, model="m", version="1", latency=0.0, features=features,
                                 labels=np.ones(1)))  # fmt: skip
    for _ in range(2):
        [rows] = everything(tmp_path)
        assert {name: values.tolist() for name, values in rows.columns.items()} == {
            name: [float(place)] for place, name in enumerate(names)
        }
        [one] = read(tmp_path, since=0, until=1e11, columns=["a.b"])
        assert list(one.columns) == ["a.b"]
        tidied(tmp_path)


def test_groups_and_columns_outside_of_what_is_asked_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, opened: list[tuple[int, list[str]]]
) -> None:
    monkeypatch.setattr(closing, "GROUP_ROWS", 10)
    for request in range(3):
        journal_rows = [numbers(f"r{request}.{at}", rows=10, at=1000.0 * request + at) for at in range(5)]
        for entry in journal_rows:  # a batch each, so that groups can end between them
            journaled(tmp_path / "parts", entry)
    merged = tmp_path / "journal"
    _into_one_file_each(tmp_path / "parts", merged)
    tidied(merged, now=3000.0)
    assert len(in_parquet(merged)) == 3
    opened.clear()
    assert {name.split("-")[0] for name in found(merged, since=2002.0, until=2004.0, columns=["x1"])} == {
        "r2.2",
        "r2.3",
    }
    assert [number for number, _ in opened] == [2, 3]
    assert all("features.x1" in columns and "features.x0" not in columns for _, columns in opened)


def _into_one_file_each(parts: Path, folder: Path) -> None:
    """The streams of one request as one stream of several batches."""
    open_now: dict[str, Segment] = {}
    by_time = sorted((batch for path in parts.glob("*.arrows") for batch in closing.batches(path)),
                     key=lambda batch: batch.column("time")[0].value)  # fmt: skip
    for batch in by_time:
        name = batch.column("id")[0].as_py().split(".")[0]
        if name not in open_now:
            open_now[name] = Segment(folder, batch.schema)
        open_now[name].append(batch)
    for segment in open_now.values():
        segment.close()


def test_clock_that_jumps_hides_no_row(tmp_path: Path) -> None:
    """A file whose rows are from the future, as its writer's clock had it, and which was last written before that."""
    journaled(tmp_path, numbers("ahead", at=9e9), numbers("right", at=1000.0), numbers("behind", at=-5.0))
    for path in tmp_path.glob("*.arrows"):
        os.utime(path, (1000.0, 1000.0))
    for _ in range(2):
        assert found(tmp_path, since=8e9, until=1e10) == ["ahead-0"]
        assert found(tmp_path, since=-10, until=0) == ["behind-0"]
        assert len(found(tmp_path, since=-10, until=1e11)) == 3
        tidied(tmp_path)


@pytest.fixture(scope="module")
def minutes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows a few microseconds apart, in a closed file and in a stream."""
    folder = tmp_path_factory.mktemp("minutes")
    journaled(folder, *(numbers(f"closed{place}", at=1000.0 + place * 1e-6) for place in range(3)))
    tidied(folder)
    journaled(folder, *(numbers(f"stream{place}", at=1000.0 + place * 1e-6) for place in range(3)))
    return folder


def test_window_between_microseconds_misses_no_row(minutes: Path) -> None:
    for place in range(12):
        border = 1000.0 + place * 3e-7
        assert len(found(minutes, until=border)) + len(found(minutes, since=border)) == 6


def test_folders_of_several_replicas_are_read_as_one(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "two", tmp_path / "nowhere"]
    journaled(folders[0], numbers("a"))
    journaled(folders[1], numbers("b"))
    tidied(folders[1])
    together = [str(name) for rows in read(folders, since=0, until=1e11) for name in rows.ids]
    assert together == ["a-0", "b-0"]


def test_long_files_come_in_pieces(tmp_path: Path) -> None:
    journaled(tmp_path, *(numbers(f"r{number}", rows=40_000) for number in range(2)))
    streams = [len(rows.ids) for rows in everything(tmp_path)]
    tidied(tmp_path)
    pieces = [len(rows.ids) for rows in everything(tmp_path)]
    assert sum(streams) == sum(pieces) == 80_000
    assert max(pieces) <= 65_536


def test_damaged_parquet_file_is_named(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("a", rows=1000))
    tidied(tmp_path)
    [path] = in_parquet(tmp_path)
    content = path.read_bytes()
    for damaged in (content[:100], content[:-4] + b"....", b"", content[:20] + bytes(2000) + content[2020:]):
        path.write_bytes(damaged)
        with pytest.raises(JournalUnreadable, match="is damaged") as told:
            everything(tmp_path)
        assert path.name in str(told.value)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_stream_cut_at_any_byte_gives_whole_batches_before_the_cut(
    tmp_path_factory: pytest.TempPathFactory, stream: bytes, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("journal")
    path = folder / "predictions-x.arrows"
    cut = data.draw(st.integers(0, len(stream)))
    path.write_bytes(stream[:cut])
    names = ids(folder)
    assert names == [f"r{number}-0" for number in range(len(names))]
    assert cut < len(stream) or len(names) == 4
    tidied(folder)
    assert ids(folder) == names


@pytest.fixture(scope="module")
def stream(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A stream of four batches, each with the row of one request."""
    folder = tmp_path_factory.mktemp("stream")
    segment: Segment | None = None
    for number in range(4):
        journaled(folder / "parts", mixed(f"r{number}"))
    batches = [batch for path in (folder / "parts").glob("*.arrows") for batch in closing.batches(path)]
    for batch in sorted(batches, key=lambda batch: batch.column("id")[0].as_py()):
        segment = segment or Segment(folder / "one", batch.schema)
        segment.append(batch)
    assert segment is not None
    segment.close()
    return segment.path.read_bytes()


def test_figures_of_a_journal(tmp_path: Path) -> None:
    assert summarize(tmp_path).rows == 0
    journaled(tmp_path, numbers("a", rows=3, version="1", at=100.5))
    tidied(tmp_path)
    journaled(tmp_path, numbers("b", rows=2, version="2", at=200.0))
    figures = summarize(tmp_path)
    assert (figures.rows, figures.files, figures.first, figures.last) == (5, 2, 100.5, 200.0)
    assert figures.versions == {("cancer", "1"): 3, ("cancer", "2"): 2}
    assert figures.bytes > 1000


def test_some_of_the_rows_by_mask_or_place(tmp_path: Path) -> None:
    journaled(tmp_path, numbers("a", rows=4))
    [rows] = everything(tmp_path)
    by_mask: Rows = rows.where(np.array([True, False, False, True]))
    assert by_mask.ids.tolist() == rows.where(np.array([0, 3])).ids.tolist() == ["a-0", "a-3"]
    assert by_mask.columns["x1"].tolist() == [1.0, 4.0]
