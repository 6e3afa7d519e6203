from __future__ import annotations

import csv
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trilho.scoring.text_lines import TextWriter

WORDS = st.text(alphabet=st.sampled_from("ab,;\t\"'\n\r é0."), max_size=6)


def read(path: Path, separator: str = ",") -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=separator))


@settings(deadline=None, max_examples=200)
@given(
    rows=st.lists(st.tuples(WORDS, st.none() | WORDS, st.floats(allow_nan=False)), max_size=8),
    names=st.lists(WORDS, min_size=3, max_size=3),
    separator=st.sampled_from([",", "\t"]),
    cut=st.integers(0, 8),
)
def test_what_is_written_is_what_others_read(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str | None, float]],
    names: list[str],
    separator: str,
    cut: int,
) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.csv"
    columns = [
        pa.array([row[place] for row in rows], kind)
        for place, kind in enumerate((pa.string(), pa.string(), pa.float64()))
    ]
    batch = pa.RecordBatch.from_arrays(columns, names=names)
    writer = TextWriter(path, batch.schema, separator=separator)
    writer.write_batch(batch.slice(0, cut))
    writer.write_batch(batch.slice(cut))
    writer.close()
    header, *lines = read(path, separator)
    assert header == names
    assert [(first, second, float(third)) for first, second, third in lines] == [
        (first, second or "", third) for first, second, third in rows
    ]


def test_quotes_are_only_where_they_are_needed(tmp_path: Path) -> None:
    batch = pa.record_batch({"id": ["007", "a,b", 'say "x"', ""], "share": [0.5, 1.0, None, 1e-9]})
    writer = TextWriter(tmp_path / "out.csv", batch.schema, separator=",")
    writer.write_batch(batch)
    writer.close()
    text = (tmp_path / "out.csv").read_text(encoding="utf-8")
    assert text == 'id,share\n007,0.5\n"a,b",1\n"say ""x""",\n,1e-9\n'


def test_column_that_has_no_text_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(pa.ArrowException):
        TextWriter(tmp_path / "out.csv", pa.schema({"tags": pa.list_(pa.int64())}), separator=",")
    assert not (tmp_path / "out.csv").exists()
