"""What a source string means."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho import data
from trilho.data.source import parse
from trilho.errors import SourceUnreadable, UnknownName


@pytest.mark.parametrize(
    ("text", "reader", "name"),
    [
        ("sklearn:iris", "sklearn", "iris"),
        ("data/churn.v2.CSV", "csv", "churn.v2"),
        ("churn.csv.gz", "csv", "churn"),
        ("churn.tsv", "csv", "churn"),
        ("churn.parquet", "parquet", "churn"),
        ("parts/*.parquet", "files", "parts"),
        ("parts/year=*/month=[01]?/*.pq", "files", "parts"),
        ("sqlite:///shop.db#orders", "sql", "orders"),
        ("sqlite:////var/shop.db", "sql", "shop"),
        ("postgresql://me:p#1@db.example/shop", "sql", "shop"),
        ("mysql+pymysql://me@db/shop?charset=utf8#sales.orders", "sql", "sales.orders"),
        ("my_package.features:read", "function", "read"),
    ],
)
def test_a_string_names_its_reader(tmp_path: Path, text: str, reader: str, name: str) -> None:
    found = parse(text, tmp_path)
    assert (found.reader, found.name) == (reader, name)


def test_a_folder_is_read_whatever_it_is_called(tmp_path: Path) -> None:
    for folder in ("parts", "sales.csv", "sales.parquet"):
        (tmp_path / folder).mkdir()
        assert parse(folder, tmp_path).reader == "files"
    assert parse(".", tmp_path).name == tmp_path.name


def test_a_file_with_brackets_in_its_name_is_no_pattern(tmp_path: Path) -> None:
    (tmp_path / "churn [1].csv").write_text("n,y\n1,a\n2,b\n", encoding="utf-8")
    assert len(data.load("churn [1].csv", target="y", root=tmp_path).frame) == 2


def test_wildcards_count_in_the_source_only(tmp_path: Path) -> None:
    root = tmp_path / "project [old] *" if os.name == "posix" else tmp_path / "project [old]"
    root.mkdir()
    (root / "a.csv").write_text("n,y\n1,a\n2,b\n", encoding="utf-8")
    assert len(data.load("*.csv", target="y", root=root).frame) == 2
    assert len(data.load("**/*.csv", target="y", root=root).frame) == 2


@pytest.mark.parametrize("text", ["s3://bucket/a.parquet", "gs://b/a.csv", "https://example.org/a.csv", "delta:sales"])
def test_what_is_not_supported_yet_says_so_and_what_is(tmp_path: Path, text: str) -> None:
    for call in (lambda: data.fingerprint(text, root=tmp_path), lambda: data.load(text, target="y", root=tmp_path)):
        with pytest.raises(UnknownName, match="not supported yet") as caught:
            call()
        assert "data/*.parquet" in caught.value.why


def test_what_nobody_reads_says_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "churn.xlsx").write_bytes(b"PK")
    with pytest.raises(UnknownName, match=r"'churn\.xlsx' exists, but no reader takes a file of that kind"):
        parse("churn.xlsx", tmp_path)
    with pytest.raises(UnknownName, match="Did you mean 'iris'"):
        parse("sklearn:irsi", tmp_path)


def test_a_folder_without_tables_and_a_mixed_one_are_refused(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    with pytest.raises(SourceUnreadable, match="matches no"):
        data.fingerprint("parts", root=tmp_path)
    for name in ("a.csv", "b.parquet"):
        (tmp_path / "parts" / name).write_bytes(b"x")
    with pytest.raises(SourceUnreadable, match=r"both text and Parquet files: a\.csv, b\.parquet"):
        data.fingerprint("parts", root=tmp_path)


WORDS = st.text(st.sampled_from("abcXYZ019-._"), min_size=1, max_size=8)
SECRETS = st.text(st.sampled_from("abcXYZ019:/?#%+&="), max_size=12).map("hunter2{}".format)


@given(user=WORDS, secret=SECRETS, host=WORDS, database=WORDS)
def test_no_password_is_in_a_source_as_it_is_shown(user: str, secret: str, host: str, database: str) -> None:
    found = parse(f"postgresql://{user}:{secret}@{host}/{database}#orders", Path())
    assert found.name == "orders"
    assert "hunter2" not in found.text
