"""How a text table is written is told from its content, and only where the content proves it."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trilho import data
from trilho.data.sources.csv_dialect import dialect


def found(folder: Path, content: bytes | str, name: str = "a.csv", **options: Any) -> dict[str, str]:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return dialect(name, root=folder, options=options)


@pytest.mark.parametrize(
    ("content", "options"),
    [
        ("a,churn\n1,x\n2,y\n", {}),
        ("a;churn\n1;x\n2;y\n", {"separator": ";"}),
        ("a\tchurn\n1\tx\n", {"separator": "\t"}),
        ("a|churn\n1|x\n", {"separator": "|"}),
        ("churn\nx\ny\n", {}),
        ("a;churn\n1,5;x\n2;y\n", {"separator": ";", "decimal": ","}),
        ("a;churn\n1.234,5;x\n2;y\n", {"separator": ";", "decimal": ",", "thousands": "."}),
        ("a;churn\n0,045;x\n2;y\n", {"separator": ";", "decimal": ","}),
        ('a,churn\n"1,045",x\n610,y\n', {}),  # either
        ('a,b,churn\n"1,045",2.5,x\n610,3.25,y\n', {"thousands": ","}),  # the other column says which
        ('a,churn\n"2,129,151",x\n', {"thousands": ","}),
        ('a,churn\n"1,045.50",x\n', {"thousands": ","}),
        ('a,b,churn\n"1,5",2.5,x\n', {}),  # they contradict each other
        ('a,b,churn\n"1,045",2.5,x\n,3,y\nNA,,y\n', {"thousands": ","}),  # missing values prove nothing
        ("a;b;churn\n1,5;31.12.2026;x\n2;01.01.2026;y\n", {"separator": ";", "decimal": ","}),
        ("a;b;churn\n1.234,5;31.12.2026;x\n2;01.01.2026;y\n", {"separator": ";", "decimal": ","}),  # dates stay dates
        ('a,b,churn\n"1,045",2.5,"Rio, RJ"\n', {"thousands": ","}),
        ('a,b,churn\n2.5,"1,2,3",x\n', {}),
        ("", {}),
        ("a,churn\n", {}),
    ],
)
def test_what_the_content_proves_is_told(tmp_path: Path, content: str, options: dict[str, str]) -> None:
    assert found(tmp_path, content) == options


def test_an_encoding_is_told_and_what_stands_in_it_read(tmp_path: Path) -> None:
    text = "cidade;renda;churn\nNiterói;1,5;x\nUbá;2,25;y\n"
    assert found(tmp_path, text.encode("cp1252")) == {"separator": ";", "encoding": "cp1252", "decimal": ","}
    assert found(tmp_path, text.encode("utf-8-sig")) == {"separator": ";", "decimal": ","}
    assert found(tmp_path, text.encode("utf-16"))["encoding"] == "utf-16"
    zipped = gzip.compress(text.encode("cp1252"))
    assert found(tmp_path, zipped, name="a.csv.gz") == {"separator": ";", "encoding": "cp1252", "decimal": ","}


def test_what_was_given_is_followed_and_not_told_again(tmp_path: Path) -> None:
    assert found(tmp_path, "a;churn\n1,5;x\n", separator=";") == {"decimal": ","}
    assert found(tmp_path, "a;churn\n1,5;x\n", separator=";", thousands=",") == {}
    assert found(tmp_path, "1,5;x\n2;y\n", separator=";", names=["a", "churn"]) == {"decimal": ","}


def test_a_source_that_is_no_text_or_not_there_has_no_dialect(tmp_path: Path) -> None:
    for source in ("sklearn:iris", "nowhere.csv", "shop.xlsx", "rows.parquet"):
        assert dialect(source, root=tmp_path, options={}) == {}
    assert found(tmp_path, b"not gzip", name="b.csv.gz") == {}
    assert found(tmp_path, "a,churn\n1,x\n", encoding="utf-9") == {}


@settings(deadline=None, max_examples=60)
@given(
    numbers=st.lists(st.floats(0, 5e6).map(lambda number: round(number, 2)), min_size=3, max_size=30),
    way=st.sampled_from(["1234.56", "1,234.56", "1234,56", "1.234,56"]),
)
def test_numbers_that_are_read_as_told_are_the_numbers_that_were_written(
    tmp_path_factory: pytest.TempPathFactory, numbers: list[float], way: str
) -> None:
    folder = tmp_path_factory.mktemp("written")
    swap = str.maketrans(",.", ".,") if way.endswith(",56") else {}
    written = [f"{number:{',' if len(way) > 7 else ''}.2f}".translate(swap) for number in numbers]
    lines = "".join(f"{text};{'xy'[place % 2]}\n" for place, text in enumerate(written))
    options = found(folder, f"n;churn\n{lines}")
    frame = data.load("a.csv", target="churn", root=folder, options=options).frame
    np.testing.assert_array_equal(frame["n"], numbers)
