"""Tables in text: what is read, and what each mistake is told as."""

from __future__ import annotations

import csv
import gzip
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trilho import data
from trilho.data.sources.csv_lines import Layout, line_numbers
from trilho.errors import BadData, SourceUnreadable, UnknownName

CHURN = "age,city,churn\n31,Rio,yes\n45,São Paulo,no\n"


def load(folder: Path, content: bytes | str, name: str = "a.csv", target: str = "churn", **more: Any) -> data.Dataset:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return data.load(name, target=target, root=folder, **more)


def test_a_file_becomes_rows_with_kinds(tmp_path: Path) -> None:
    found = load(tmp_path, CHURN, name="customers.csv")
    assert (found.name, found.source, found.target) == ("customers", "customers.csv", "churn")
    assert found.frame.to_dict("list") == {"age": [31, 45], "city": ["Rio", "São Paulo"], "churn": ["yes", "no"]}
    assert [(column.name, column.kind) for column in found.columns] == [
        ("age", "number"),
        ("city", "category"),
        ("churn", "category"),
    ]
    assert found.columns[1].values == ("Rio", "São Paulo")
    assert [column.name for column in found.features] == ["age", "city"]


def test_gzip_and_tabs_are_told_by_the_name(tmp_path: Path) -> None:
    plain = load(tmp_path, CHURN).frame
    assert load(tmp_path, gzip.compress(CHURN.encode()), name="a.csv.gz").frame.equals(plain)
    assert load(tmp_path, CHURN.replace(",", "\t"), name="a.tsv").frame.equals(plain)


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    for content, options in (
        (CHURN.encode("utf-8-sig"), {}),
        (CHURN.encode("utf-8-sig"), {"encoding": "utf-8-sig"}),
        (CHURN.encode("utf-16"), {"encoding": "utf-16"}),
        (CHURN.encode("latin-1"), {"encoding": "latin-1"}),
    ):
        found = load(tmp_path, content, options=options)
        assert list(found.frame) == ["age", "city", "churn"]
        assert found.frame["city"][1] == "São Paulo"


def test_options_describe_files_of_other_habits(tmp_path: Path) -> None:
    content = "'3.000,5';x;yes\n'2,25';-;no\n"
    options = {
        "separator": ";",
        "decimal": ",",
        "thousands": ".",
        "quote": "'",
        "names": ["amount", "what", "churn"],
        "na_values": ["-"],
    }
    found = load(tmp_path, content, options=options)
    assert found.frame["amount"].tolist() == [3000.5, 2.25]
    assert found.columns[1].nullable
    few = load(tmp_path, CHURN, options={"columns": ["churn", "age"]})
    assert list(few.frame) == ["churn", "age"]
    assert load(tmp_path, CHURN.replace(",", "\t"), options={"separator": "\\t"}).frame.shape == (2, 3)


def test_whole_numbers_with_gaps_become_floats(tmp_path: Path) -> None:
    found = load(tmp_path, "n,churn\n1,a\n,b\n3,a\n")
    assert found.frame["n"].dtype == np.float64
    assert found.columns[0].nullable


def test_many_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for name, rows in (("b", "x,n\nyes,2\n"), ("a", "n,x\n1,no\n"), ("c", "n,x\n")):
        (tmp_path / "parts" / f"{name}.csv").write_text(rows, encoding="utf-8")
    found = data.load("parts", target="x", root=tmp_path)
    assert found.frame.to_dict("list") == {"n": [1, 2], "x": ["no", "yes"]}
    assert found.name == "parts"
    (tmp_path / "parts" / "b.csv").write_text("x,m\nyes,bad\n", encoding="utf-8")
    with pytest.raises(BadData, match=r"b\.csv lacks n and has m besides, compared with a\.csv"):
        data.load("parts/*.csv", target="x", root=tmp_path)


def test_a_missing_file_names_the_near_one(tmp_path: Path) -> None:
    (tmp_path / "churn.csv").write_text(CHURN, encoding="utf-8")
    with pytest.raises(SourceUnreadable, match=r"Did you mean 'churn\.csv'") as caught:
        data.load("chrun.csv", target="churn", root=tmp_path)
    assert "holds: churn.csv" in caught.value.why
    with pytest.raises(SourceUnreadable, match="has no 'data'"):
        data.load("data/deep/churn.csv", target="churn", root=tmp_path)


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff"])
def test_an_empty_file_is_called_empty(tmp_path: Path, content: str) -> None:
    with pytest.raises(BadData, match=r"a\.csv is empty"):
        load(tmp_path, content)


def test_a_header_alone_is_no_table(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="columns but no rows"):
        load(tmp_path, "age,churn\n")


def test_a_byte_that_cannot_be_decoded_is_named_with_its_line(tmp_path: Path) -> None:
    early = CHURN.encode("latin-1")
    with pytest.raises(SourceUnreadable, match=f"line 3 is not utf-8: byte {early.index(0xE3)} is 0xe3") as caught:
        load(tmp_path, early)
    assert "that line is: '45,São Paulo,no'." in caught.value.what
    assert caught.value.remedy == "Set data.options.encoding: cp1252 in trilho.yaml."
    late = ("age,city,churn\n" + "1,Rio,no\n" * 200_000 + "2,Curaçao,yes\n").encode("latin-1")
    with pytest.raises(SourceUnreadable, match=f"line 200002 is not utf-8: byte {late.index(0xE7)} is 0xe7"):
        load(tmp_path, late)
    with pytest.raises(SourceUnreadable, match="line 1") as caught:
        load(tmp_path, CHURN.encode("utf-16"))
    assert "utf-16" in caught.value.remedy


def test_an_encoding_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="'utf-9' is not an encoding"):
        load(tmp_path, CHURN, options={"encoding": "utf-9"})


@pytest.mark.parametrize(("sign", "shown"), [(";", ";"), ("\t", "\\t"), ("|", "|")])
def test_a_wrong_separator_is_recognized(tmp_path: Path, sign: str, shown: str) -> None:
    with pytest.raises(BadData, match="one column only") as caught:
        load(tmp_path, CHURN.replace(",", sign))
    assert f'data.options.separator: "{shown}"' in caught.value.remedy


def test_duplicate_columns_are_named_and_not_renamed(tmp_path: Path) -> None:
    with pytest.raises(BadData) as caught:
        load(tmp_path, "a,b,a,b,churn\n1,2,3,4,yes\n")
    assert "column 'a' appears 2 times" in caught.value.why
    assert "column 'b' appears 2 times" in caught.value.why


def test_lines_of_another_length_are_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="line 3 has 4 fields, the header has 3"):
        load(tmp_path, "a,b,churn\n1,2,x\n1,2,3,x\n")
    with pytest.raises(SourceUnreadable, match="more fields than its header has names"):
        load(tmp_path, "a,churn\n1,2,x\n3,4,y\n")


@pytest.mark.parametrize("kinds", [{}, {"fee": "category"}])
@pytest.mark.parametrize("headed", [True, False])
def test_a_line_with_one_field_too_many_is_refused_where_only_some_columns_are_wanted(
    tmp_path: Path, headed: bool, kinds: dict[str, str]
) -> None:
    names = ["id", "city", "fee", "x", "churn"]
    lines = [f"{row},rio,{row},2,{row % 2}" for row in range(30)]
    lines.insert(20, "31,new york, 7,55,1,0")
    options: dict[str, Any] = {"columns": ["city", "fee", "churn"]} | ({} if headed else {"names": names})
    text = "\n".join(([",".join(names)] if headed else []) + lines)
    with pytest.raises(SourceUnreadable, match=f"line {22 if headed else 21} has 6 fields, the header has 5"):
        load(tmp_path, text, options=options, kinds=kinds)


def test_columns_that_are_not_wanted_are_not_read_as_words_either(tmp_path: Path) -> None:
    text = "code,2024,x,churn\n007,1,9,0\n8,2,9,1\n"
    found = load(tmp_path, text, options={"columns": ["churn", 2024, "code"]}, kinds={"code": "category"})
    assert found.frame.to_dict("list") == {"churn": [0, 1], "2024": [1, 2], "code": ["007", "8"]}


def test_a_quote_that_never_closes_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadable, match="unclosed quote"):
        load(tmp_path, 'a,churn\n1,"x\n2,y\n')


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    whole = gzip.compress(CHURN.encode() * 1000)
    for broken in (whole[: len(whole) // 2], b"not gzip at all"):
        with pytest.raises(SourceUnreadable, match=r"a\.csv\.gz is a damaged gzip file"):
            load(tmp_path, broken, name="a.csv.gz")


def test_an_unknown_option_names_the_near_one(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'separator'"):
        load(tmp_path, CHURN, options={"seperator": ";"})
    with pytest.raises(BadData, match="must be one character"):
        load(tmp_path, CHURN, options={"separator": "::"})
    with pytest.raises(BadData, match=r"'agee', which is not in the file\. Did you mean 'age'"):
        load(tmp_path, CHURN, options={"columns": ["agee"]})


def test_commas_between_thousands_are_recognized_beside_millions_and_smaller_numbers(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="numbers with a comma: '2,129,151' on line 2") as caught:
        load(tmp_path, "n;churn\n2,129,151;a\n610;b\n1,045.50;a\n", options={"separator": ";"})
    assert 'Set data.options.thousands: ","' in caught.value.remedy
    with pytest.raises(BadData, match="column 'price' holds numbers with a comma"):
        load(tmp_path, 'a,price\n1,"2,129,151"\n2,"1,000,000"\n', target="price", task="regression")


def test_a_decimal_comma_is_recognized(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="'1,5' on line 2") as caught:
        load(tmp_path, "n;churn\n1,5;a\n2;b\n3,25;a\n", options={"separator": ";"})
    assert 'data.options.decimal: ","' in caught.value.remedy


def test_two_hundred_columns_keep_their_order(tmp_path: Path) -> None:
    names = [f"x{number}" for number in range(199)] + ["churn"]
    rows = [",".join(str(row * number) for number in range(199)) + f",{row % 2}" for row in range(20)]
    found = load(tmp_path, "\n".join([",".join(names), *rows]))
    assert list(found.frame) == [column.name for column in found.columns] == names
    assert {column.kind for column in found.columns} == {"number"}


def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = pd.read_csv

    def slow(path: Path, **more: Any) -> pd.DataFrame:
        frame = real(path, **more)
        with Path(path).open("a", encoding="utf-8") as file:
            file.write("50,Natal,yes\n")
        return frame

    monkeypatch.setattr(pd, "read_csv", slow)
    with pytest.raises(SourceUnreadable, match="changed while it was being read"):
        load(tmp_path, CHURN)


NAMES = st.lists(
    st.text(st.sampled_from("abcdé ,\"'\n;"), min_size=1).map("c{}".format), min_size=1, max_size=4, unique=True
)
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=6).map("w{}".format)
COLUMNS = st.one_of(
    st.lists(st.integers(-(2**62), 2**62), min_size=4, max_size=4),
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=4, max_size=4),
    st.lists(TEXTS, min_size=4, max_size=4),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_what_was_written_is_read_back(tmp_path: Path, choice: st.DataObject) -> None:
    names = choice.draw(NAMES)
    frame = pd.DataFrame({name: choice.draw(COLUMNS) for name in names} | {"churn": ["a", "b", "a", "b"]})
    separator = choice.draw(st.sampled_from([",", ";", "\t"]))
    frame.to_csv(tmp_path / "a.csv", index=False, sep=separator, quoting=csv.QUOTE_NONNUMERIC)
    read = data.load("a.csv", target="churn", root=tmp_path, options={"separator": separator}).frame
    assert {name: list(read[name]) for name in read} == {name: list(frame[name]) for name in frame}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(
        st.lists(st.sampled_from(["x", "a b", "two\nlines", 'a "quote"', ""]), min_size=2, max_size=2), min_size=1
    )
)
def test_the_line_of_a_row_is_where_an_editor_shows_it(tmp_path: Path, rows: list[list[str]]) -> None:
    text, expected = io.StringIO(), []
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["first", "second"])
    for number, row in enumerate(rows):
        expected.append(f"line {text.getvalue().count(chr(10)) + 1}")
        writer.writerow([number, *row])
        if number % 3 == 0:
            text.write("\n")  # a blank line, which is no row
    (tmp_path / "a.csv").write_text(text.getvalue(), encoding="utf-8", newline="")
    layout = Layout.of(tmp_path / "a.csv", {})
    assert line_numbers([layout], [len(rows)], range(len(rows))) == expected
