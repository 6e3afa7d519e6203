"""What a source string means."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trilho import data
from trilho.data import source
from trilho.data.source import parse
from trilho.data.sources.csv_dialect import dialect
from trilho.errors import BadData, SourceUnreadable, UnknownName


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


@pytest.mark.parametrize(
    ("option", "value", "expected"),
    [
        ("columns", "n", "a list of column names"),
        ("columns", 5, "a list of column names"),
        ("columns", {"n": 1}, "a list of column names"),
        ("columns", [["n"]], "a list of column names"),
        ("names", 5, "a list of column names"),
        ("names", "ny", "a list of column names"),
        ("names", ["n", False], "a list of column names"),  # YAML's `no`
        ("na_values", {"n": "-"}, "a word or a list of words"),
        ("na_values", True, "a word or a list of words"),
        ("encoding", ["utf-8"], "a name in text"),
        ("decimal", ",,", "one character"),
        ("decimal", None, "one character"),
        ("thousands", "12", "one character"),
        ("thousands", "", "one character"),
        ("thousands", [","], "one character"),
        ("separator", 5, "one character"),
        ("quote", "", "one character"),
    ],
)
def test_a_value_that_an_option_cannot_take_says_what_it_takes(
    tmp_path: Path, option: str, value: Any, expected: str
) -> None:
    (tmp_path / "a.csv").write_text("n,y\n1,a\n2,b\n", encoding="utf-8")
    options = {option: value}
    for call in (
        lambda: data.fingerprint("a.csv", root=tmp_path, options=options),
        lambda: data.load("a.csv", target="y", root=tmp_path, options=options),
    ):
        with pytest.raises(BadData) as caught:
            call()
        assert caught.value.what.startswith(f"a.csv: data.options.{option} is {value!r}; it must be {expected}")
        assert f"for example {option}: " in caught.value.remedy
    assert dialect("a.csv", root=tmp_path, options=options) == {}, "`trilho new` leaves the error to the reading"


def test_all_values_that_options_cannot_take_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n,y\n1,a\n2,b\n", encoding="utf-8")
    with pytest.raises(BadData, match=r"a\.csv has 2 problems") as caught:
        data.load("a.csv", target="y", root=tmp_path, options={"columns": "n", "decimal": ",,"})
    assert "data.options.columns is 'n'" in caught.value.why
    assert "data.options.decimal is ',,'" in caught.value.why


def test_options_without_a_value_stand_for_their_default(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n,y\n1,a\n2,b\n", encoding="utf-8")
    options = dict.fromkeys(("columns", "names", "na_values", "thousands"))
    assert data.load("a.csv", target="y", root=tmp_path, options=options).frame["n"].tolist() == [1, 2]


def test_options_of_other_readers_are_looked_at_too(tmp_path: Path) -> None:
    pd.DataFrame({"n": [1, 2], "y": ["a", "b"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(BadData, match=r"data\.options\.columns is 'ny'"):
        data.load("a.parquet", target="y", root=tmp_path, options={"columns": "ny"})
    with pytest.raises(BadData, match=r"data\.options\.query is 5; it must be a query in text"):
        data.load(f"sqlite:///{tmp_path}/shop.db", target="y", root=tmp_path, options={"query": 5})


def test_the_remedy_for_an_option_is_one_that_works() -> None:
    for option, (fits, _, example) in source._VALUES.items():
        assert fits(yaml.safe_load(example)), option


WORDS = st.text(st.sampled_from("abcXYZ019-._"), min_size=1, max_size=8)
SECRETS = st.text(st.sampled_from("abcXYZ019:/?#%+&="), max_size=12).map("hunter2{}".format)


@given(user=WORDS, secret=SECRETS, host=WORDS, database=WORDS)
def test_no_password_is_in_a_source_as_it_is_shown(user: str, secret: str, host: str, database: str) -> None:
    found = parse(f"postgresql://{user}:{secret}@{host}/{database}#orders", Path())
    assert found.name == "orders"
    assert "hunter2" not in found.text
