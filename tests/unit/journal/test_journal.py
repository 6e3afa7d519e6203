from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trilho.journal import Answered, Features, Journal, read, writing
from unit.journal.entries import everything, ids, numbers, wait_until


def test_what_was_appended_is_read_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal")
    journal.append(numbers("a", rows=2))
    journal.append(numbers("b"))
    journal.close()
    [rows] = everything(tmp_path / "journal")
    assert list(rows.ids) == ["a-0", "a-1", "b-0"]
    assert list(rows.models) == ["cancer"] * 3
    assert list(rows.versions) == ["3"] * 3
    assert rows.columns["x1"].tolist() == [1.0, 2.0, 1.0]
    assert rows.labels.tolist() == [0, 1, 0]
    assert rows.probabilities is not None
    assert rows.probabilities.tolist() == [[0.25, 0.75]] * 3
    assert rows.latencies.tolist() == [0.001] * 3
    assert rows.times.astype("datetime64[us]").astype("int64").tolist() == [1_000_000_000] * 3
    assert journal.state == writing.JournalState(written=3, waiting=0, lost=0, problem="", lag=0.0)


def test_missing_values_times_and_texts_come_back_as_they_were(tmp_path: Path) -> None:
    columns = {
        "age": np.array([1.5, np.nan]),
        "city": np.array(["São Paulo", None], dtype=object),
        "day": np.array(["2026-01-31T12:00:00.000000001", "NaT"], dtype="datetime64[ns]"),
        "time": np.array([None, None], dtype=object),
    }
    entry = Answered(
        request="r", time=5.0, model="m", version="1", latency=0.1, features=Features.of(columns),
        labels=np.array(["yes", "no"], dtype=object),
    )  # fmt: skip
    journal = Journal(tmp_path)
    journal.append(entry)
    journal.close()
    [rows] = everything(tmp_path)
    assert rows.columns["age"].dtype == np.float64
    np.testing.assert_array_equal(rows.columns["age"], columns["age"])
    assert rows.columns["city"].tolist() == ["São Paulo", None]
    assert rows.columns["day"].dtype == np.dtype("datetime64[ns]")
    np.testing.assert_array_equal(rows.columns["day"], columns["day"])
    assert rows.columns["time"].tolist() == [None, None], "a feature may be called as one of the journal's own columns"
    assert rows.labels.tolist() == ["yes", "no"]
    assert rows.probabilities is None


@settings(deadline=None, max_examples=25)
@given(values=st.lists(st.floats(width=64), min_size=1, max_size=5), words=st.data())
def test_any_values_come_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, values: list[float], words: st.DataObject
) -> None:
    texts = words.draw(
        st.lists(
            st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]))),
            min_size=len(values), max_size=len(values),
        )
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("journal")
    entry = Answered(
        request="r", time=5.0, model="m", version="1", latency=0.0, labels=np.array(values),
        features=Features.of({"x": np.array(values), "t": np.array([*texts, None], dtype=object)[:-1]}),
    )  # fmt: skip
    journal = Journal(folder)
    journal.append(entry)
    journal.close()
    [rows] = everything(folder)
    np.testing.assert_array_equal(rows.columns["x"], values)
    assert rows.columns["t"].tolist() == texts


def test_two_hundred_columns_and_none_at_all_are_taken(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(numbers("wide", columns=200))
    journal.append(numbers("none", columns=0))
    journal.close()
    widths = {str(rows.ids[0]): len(rows.columns) for rows in everything(tmp_path)}
    assert widths == {"wide-0": 200, "none-0": 0}


def test_window_holds_its_beginning_and_not_its_end(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for second in (9.0, 10.0, 19.999999, 20.0):
        journal.append(numbers(f"at{second}", at=second))
    journal.close()
    found = [str(name) for rows in read(tmp_path, since=10, until=20) for name in rows.ids]
    assert found == ["at10.0-0", "at19.999999-0"]


def test_no_folder_is_an_empty_journal(tmp_path: Path) -> None:
    assert everything(tmp_path / "nowhere") == []


def test_row_is_readable_while_the_journal_is_open(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(numbers("first"))
    wait_until(lambda: ids(tmp_path) == ["first-0"])
    journal.append(numbers("second"))
    wait_until(lambda: ids(tmp_path) == ["first-0", "second-0"])
    journal.close()


def test_another_schema_and_a_full_file_begin_a_new_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path)
    journal.append(numbers("a", columns=2, version="1"))
    journal.append(numbers("b", columns=2, version="2"))
    journal.append(numbers("c", columns=3))
    wait_until(lambda: journal.state.written == 3)
    assert len(list(tmp_path.glob("*.arrows"))) == 2, "versions with the same columns share a file"
    monkeypatch.setattr(writing, "SEGMENT_BYTES", 1)
    journal.append(numbers("d", columns=3))
    journal.close()
    assert len(list(tmp_path.glob("*.arrows"))) == 3
    assert sorted(ids(tmp_path)) == ["a-0", "b-0", "c-0", "d-0"]


def test_two_writers_share_a_folder(tmp_path: Path) -> None:
    first, second = Journal(tmp_path), Journal(tmp_path)
    first.append(numbers("a"))
    second.append(numbers("b"))
    first.close()
    second.close()
    assert sorted(ids(tmp_path)) == ["a-0", "b-0"]


def test_writing_needs_no_pandas_and_no_mlflow(tmp_path: Path) -> None:
    script = """
import sys, numpy
from pathlib import Path
from trilho.journal import Answered, Features, Journal
journal = Journal(Path(sys.argv[1]))
columns = {"x": numpy.ones(1), "t": numpy.array(["a"], dtype=object), "d": numpy.array(["NaT"], dtype="datetime64[ns]")}
for probabilities in (None, numpy.ones((1, 2))):
    journal.append(Answered(request="r", time=1.0, model="m", version="1", latency=0.0,
                            features=Features.of(columns), labels=numpy.ones(1), probabilities=probabilities))
journal.close()
print(journal.state.written, sorted({"pandas", "sklearn", "mlflow"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["2", "[]"]


@pytest.mark.parametrize(
    "labels",
    [
        np.array([True, False, True]),
        np.array([3, -1, 2**40]),
        np.array([1.5, np.nan, -0.0]),
        np.array(["á", "", "b"], dtype=object),
        np.arange(20)[::7],
    ],
)
def test_labels_of_every_type_come_back_as_they_were(tmp_path: Path, labels: np.ndarray) -> None:
    journal = Journal(tmp_path)
    journal.append(
        Answered(request="r", time=1.0, model="m", version="1", latency=0.0, features=Features.of({}), labels=labels)
    )
    journal.close()
    [rows] = everything(tmp_path)
    np.testing.assert_array_equal(rows.labels, labels)
    assert rows.labels.dtype == labels.dtype
