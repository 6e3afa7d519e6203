"""Digits in a text table that trilho.yaml tells to be words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trilho import data


def load(folder: Path, content: str, **more: Any) -> data.Dataset:
    (folder / "a.csv").write_text(content, encoding="utf-8")
    return data.load("a.csv", target="churn", root=folder, **more)


@pytest.mark.parametrize("kind", ["category", "text"])
@pytest.mark.parametrize(
    "codes", [("00123", "4000", "00007"), ("+351", "44", "1"), ("12345678901234567890", "", "1"), ("-07", "", "8")]
)
def test_digits_that_are_told_to_be_words_are_kept_as_written(
    tmp_path: Path, kind: str, codes: tuple[str, ...]
) -> None:
    text = "code,n,churn\n" + "".join(f"{code},{row},{row % 2}\n" for row, code in enumerate(codes))
    found = load(tmp_path, text, kinds={"code": kind})
    assert found.frame["code"].fillna("").tolist() == list(codes)
    assert found.frame["n"].tolist() == [0, 1, 2], "what nobody named stays a number"


def test_other_digits_that_are_words_stay_what_they_were(tmp_path: Path) -> None:
    """Row hashes decide the split: 1.50 was 1.5 and stays so, a column of 3 and nothing is 3 and nothing."""
    found = load(tmp_path, "a,b,c,churn\n1.50,3,TRUE,0\n2,,FALSE,1\n", kinds=dict.fromkeys("abc", "category"))
    assert found.frame["a"].tolist() == ["1.5", "2.0"]
    assert found.frame["b"].fillna("").tolist() == ["3", ""]
    assert found.frame["c"].tolist() == ["true", "false"]


@pytest.mark.parametrize("kind", ["category", "text"])
@pytest.mark.parametrize(
    "codes",
    [("1.1", "1.10", "1.2"), ("12E4", "120000", "7"), ("3", "3.0", ""), ("0", "-0", "1"), (" 1.1", "1.10", "2")],
)
def test_words_that_are_one_number_stay_two_words(tmp_path: Path, kind: str, codes: tuple[str, ...]) -> None:
    text = "code,n,churn\n" + "".join(f"{code},{row},{row % 2}\n" for row, code in enumerate(codes))
    found = load(tmp_path, text, kinds={"code": kind})
    assert found.frame["code"].fillna("").tolist() == list(codes)
    assert found.frame["n"].tolist() == [0, 1, 2], "what nobody named stays a number"


def test_words_that_are_one_number_in_two_files_stay_two_words(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.csv").write_text("code,churn\n1.1,0\n1.2,1\n", encoding="utf-8")
    (tmp_path / "parts" / "b.csv").write_text("code,churn\n1.10,0\n", encoding="utf-8")
    found = data.load("parts/*.csv", target="churn", root=tmp_path, kinds={"code": "category"})
    assert found.frame["code"].tolist() == ["1.1", "1.2", "1.10"]


def test_blanks_around_numbers_make_no_words_of_their_own(tmp_path: Path) -> None:
    found = load(tmp_path, "code,churn\n 7,0\n7,1\n12,0\n", kinds={"code": "category"})
    assert found.frame["code"].tolist() == ["7", "7", "12"]


def test_digits_are_words_in_all_files_if_they_are_in_one(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "a.csv").write_text("code,n,churn\n12,1,0\n,2,1\n", encoding="utf-8")
    (tmp_path / "parts" / "b.csv").write_text("churn,code,n\n0,0012,3\n", encoding="utf-8")
    found = data.load("parts/*.csv", target="churn", root=tmp_path, kinds={"code": "category"})
    assert found.frame["code"].fillna("").tolist() == ["12", "", "0012"]
    assert found.frame["n"].tolist() == [1, 2, 3]
    assert found.columns[0].values == ("0012", "12")


def test_a_column_of_words_without_any_value_is_read(tmp_path: Path) -> None:
    found = load(tmp_path, "code,n,churn\n,1,0\n,2,1\n", kinds={"code": "category"})
    assert found.frame["code"].isna().all()
