"""Parquet: one file, many files, and what a file that does not fit is told as."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from trilho import data
from trilho.errors import BadData, SourceUnreadable


def write(path: Path, **columns: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), path)


def test_a_file_keeps_its_types(tmp_path: Path) -> None:
    write(
        tmp_path / "a.parquet",
        n=pa.array([1, None, 3], pa.int32()),
        f=pa.array([1.5, 2.5, 3.5], pa.float32()),
        ok=[True, False, True],
        when=pa.array([0, 10**6, None], pa.timestamp("us", "America/Sao_Paulo")),
        city=pa.array(["Rio", "Natal", None]).dictionary_encode(),
        zip=["01234", "04321", "00001"],
        y=["a", "b", "a"],
    )
    found = data.load("a.parquet", target="y", root=tmp_path)
    kinds = {column.name: (column.kind, column.nullable) for column in found.columns}
    assert kinds == {
        "n": ("number", True),
        "f": ("number", False),
        "ok": ("boolean", False),
        "when": ("time", True),
        "city": ("category", True),
        "zip": ("category", False),
        "y": ("category", False),
    }
    assert found.frame["n"].tolist()[::2] == [1.0, 3.0]
    assert found.frame["f"].dtype == np.float32
    assert found.frame["when"][1].isoformat() == "1970-01-01T00:00:01"
    assert found.frame["zip"].tolist() == ["01234", "04321", "00001"]
    assert found.columns[2].values == ("false", "true")


def test_a_folder_a_pattern_and_hive_folders_are_one_table(tmp_path: Path) -> None:
    write(tmp_path / "parts" / "year=2025" / "b.parquet", x=[3], y=["b"])
    write(tmp_path / "parts" / "year=2024" / "a.parquet", y=["a", "b"], x=[1, 2])
    for source in ("parts", "parts/**/*.parquet"):
        found = data.load(source, target="y", root=tmp_path)
        assert found.frame[["x", "year"]].to_numpy().tolist() == [[1, 2024], [2, 2024], [3, 2025]]
    found = data.load("parts", target="y", root=tmp_path, options={"columns": ["y", "year"]})
    assert list(found.frame) == ["y", "year"]


def test_number_types_are_widened_and_empty_columns_filled(tmp_path: Path) -> None:
    write(tmp_path / "p" / "a.parquet", x=pa.array([1, 2], pa.int8()), z=pa.nulls(2), y=["a", "b"])
    write(tmp_path / "p" / "b.parquet", x=pa.array([2**40], pa.int64()), z=pa.array([1.5]), y=["a"])
    found = data.load("p", target="y", root=tmp_path)
    assert found.frame["x"].tolist() == [1, 2, 2**40]
    assert found.frame["z"].isna().tolist() == [True, True, False]


def test_files_that_differ_are_all_named_with_their_columns(tmp_path: Path) -> None:
    write(tmp_path / "p" / "a.parquet", x=[1], z=[1], y=["a"])
    write(tmp_path / "p" / "b.parquet", x=["one"], z=[1], y=["a"])
    write(tmp_path / "p" / "c.parquet", x=[1], y=["b"], w=[0])
    with pytest.raises(BadData) as caught:
        data.load("p", target="y", root=tmp_path)
    assert "column 'x' is string in b.parquet and int64" in caught.value.why
    assert "c.parquet lacks column z, which a.parquet has" in caught.value.why
    assert "c.parquet has column w, which a.parquet lacks" in caught.value.why
    with pytest.raises(BadData, match=r"'xx', which is not there\. Did you mean 'x'"):
        data.load("p", target="y", root=tmp_path, options={"columns": ["y", "xx"]})


def test_columns_that_all_files_have_can_be_read_alone(tmp_path: Path) -> None:
    write(tmp_path / "p" / "a.parquet", x=[1], y=["a"], z=[1])
    write(tmp_path / "p" / "b.parquet", w=[9], y=["b"], x=[2])
    found = data.load("p", target="y", root=tmp_path, options={"columns": ["x", "y"]})
    assert found.frame.to_dict("list") == {"x": [1, 2], "y": ["a", "b"]}


def test_duplicate_columns_are_named(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array([1]), pa.array([2]), pa.array(["a"])], names=["x", "x", "y"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(BadData, match=r"column 'x' appears 2 times in a\.parquet"):
        data.load("a.parquet", target="y", root=tmp_path)


@pytest.mark.parametrize("damage", ["empty", "cut", "text"])
def test_a_damaged_file_among_many_is_named(tmp_path: Path, damage: str) -> None:
    for name in "abc":
        write(tmp_path / "p" / f"{name}.parquet", x=list(range(100)), y=["a", "b"] * 50)
    broken = tmp_path / "p" / "b.parquet"
    raw = broken.read_bytes()
    broken.write_bytes({"empty": b"", "cut": raw[: len(raw) // 2], "text": b"x,y\n1,a\n"}[damage])
    with pytest.raises(SourceUnreadable, match=r"b\.parquet is"):
        data.load("p", target="y", root=tmp_path)


def test_damage_inside_a_file_is_named_too(tmp_path: Path) -> None:
    for name in "ab":
        write(tmp_path / "p" / f"{name}.parquet", x=np.random.default_rng(0).normal(size=5000), y=["a", "b"] * 2500)
    broken = tmp_path / "p" / "b.parquet"
    raw = bytearray(broken.read_bytes())
    raw[4:60] = b"\xff" * 56  # the first page; the footer is whole
    broken.write_bytes(raw)
    with pytest.raises(SourceUnreadable, match=r"b\.parquet is damaged"):
        data.load("p", target="y", root=tmp_path)


def test_a_row_is_named_within_its_file(tmp_path: Path) -> None:
    write(tmp_path / "p" / "a.parquet", x=[1.0, 2.0], y=["a", "b"])
    write(tmp_path / "p" / "b.parquet", x=[1.0, float("inf")], y=["a", None])
    with pytest.raises(BadData) as caught:
        data.load("p", target="y", root=tmp_path)
    assert caught.value.why.count("b.parquet row 2") == 2


def test_a_file_without_rows_has_no_rows(tmp_path: Path) -> None:
    write(tmp_path / "a.parquet", x=pa.array([], pa.int64()), y=pa.array([], pa.string()))
    with pytest.raises(BadData, match="columns but no rows"):
        data.load("a.parquet", target="y", root=tmp_path)


BIG = """
import resource, sys
from pathlib import Path
from trilho import data
import pandas, pyarrow.dataset, pyarrow.parquet  # what is loaded anyway does not count

before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
found = data.load("parts", target="y", root=Path(sys.argv[1]), memory=Path(sys.argv[1]) / "memory")
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
unit = 1 if sys.platform == "darwin" else 1024
print(len(found.frame), peak * unit / int(found.frame.memory_usage(deep=True).sum()))
print(*(column.kind for column in found.columns))
"""


@pytest.mark.slow
def test_two_million_rows_of_a_folder_fit_into_memory(tmp_path: Path) -> None:
    dice = np.random.default_rng(0)
    rows = 250_000
    for part in range(8):
        numbers = {f"x{number}": dice.normal(size=rows) for number in range(10)}
        words = np.array(["Rio", "Natal", "Belém", "Recife"])[dice.integers(0, 4, rows)]
        codes = [f"customer {number}" for number in dice.integers(0, 10**9, rows)]
        gaps = pa.array(dice.integers(0, 99, rows), mask=dice.random(rows) < 0.1)
        write(
            tmp_path / "parts" / f"part-{part}.parquet",
            **numbers,
            city=words,
            code=codes,
            age=gaps,
            y=dice.integers(0, 2, rows),
        )
    done = subprocess.run([sys.executable, "-c", BIG, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    counted, kinds = done.stdout.splitlines()
    assert counted.split()[0] == "2000000"
    assert float(counted.split()[1]) < 3.5  # of what the finished table takes
    assert kinds.split() == ["number"] * 10 + ["category", "text", "number", "number"]
