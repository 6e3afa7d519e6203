"""split.method: time, which tests on the latest rows."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from trilho import data
from trilho.data.dataset import Dataset
from trilho.errors import BadData
from trilho.steps.materials import TEST, Materials
from unit.steps.cases import after, dataset, mixed, project


def split(tmp_path: Path, found: Dataset, **changes: Any) -> Materials:
    return after(project(tmp_path, **changes), found, "split")


def test_the_latest_rows_are_for_testing(tmp_path: Path) -> None:
    materials = split(tmp_path, mixed(), split={"method": "time", "time_column": "since", "test_size": 0.25})
    since = materials.dataset.frame["since"]
    assert materials.parts.sum() == 75
    assert since[materials.parts == TEST].min() > since[materials.parts != TEST].max()


def test_rows_of_one_moment_stay_together(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": [1, 1, 2, 2, 3, 3, 3, 3, 3, 3], "target": [0, 1] * 5})
    materials = split(tmp_path, dataset(frame), split={"method": "time", "time_column": "day"})
    assert materials.dataset.frame["day"][materials.parts == TEST].unique().tolist() == [3]


def test_rows_of_a_single_moment_cannot_be_split_and_say_so(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": [1] * 10, "target": [0, 1] * 5})
    with pytest.raises(BadData, match="0 rows to train on and 10 to test on") as caught:
        split(tmp_path, dataset(frame), split={"method": "time", "time_column": "day"})
    assert "method time" in caught.value.why


def test_a_time_column_that_is_not_there_names_the_columns(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no column 'when'") as caught:
        split(tmp_path, mixed(), split={"method": "time", "time_column": "when"})
    assert "since" in caught.value.why


def test_dates_in_another_order_are_refused_because_their_letters_are_not_in_the_order_of_time(tmp_path: Path) -> None:
    days = pd.date_range("2025-06-01", periods=400).strftime("%d/%m/%Y")
    (tmp_path / "shop.csv").write_text(
        "day,a,target\n" + "".join(f"{day},{row},{row % 2}\n" for row, day in enumerate(days)), encoding="utf-8"
    )
    found = data.load("shop.csv", target="target", root=tmp_path)
    with pytest.raises(BadData, match=r"'day' is of kind text; split\.method: time needs times or numbers") as caught:
        split(tmp_path, found, split={"method": "time", "time_column": "day"})
    assert "'01/06/2025' is no time" in caught.value.why
    assert "2026-01-31" in caught.value.remedy


def test_a_single_value_that_is_no_time_is_the_one_that_is_named(tmp_path: Path) -> None:
    days = [*pd.date_range("2026-01-01", periods=9).strftime("%Y-%m-%d"), "soon"]
    frame = pd.DataFrame({"day": days, "target": [0, 1] * 5})
    with pytest.raises(BadData, match="kind category") as caught:
        split(tmp_path, dataset(frame), split={"method": "time", "time_column": "day"})
    assert "'soon' is no time" in caught.value.why


def test_times_that_are_told_to_be_words_are_refused_and_name_the_setting(tmp_path: Path) -> None:
    frame = pd.DataFrame({"day": pd.date_range("2026-01-01", periods=10).strftime("%Y-%m-%d"), "target": [0, 1] * 5})
    with pytest.raises(BadData, match="kind category") as caught:
        split(tmp_path, dataset(frame), split={"method": "time", "time_column": "day"})
    assert caught.value.why == "data.kinds makes a category of it."


def test_rows_without_a_time_are_counted(tmp_path: Path) -> None:
    frame = mixed().frame
    frame.loc[:4, "since"] = pd.NaT
    with pytest.raises(BadData, match="'since' has 5 rows without a time"):
        split(tmp_path, dataset(frame, {"since": "time"}), split={"method": "time", "time_column": "since"})
