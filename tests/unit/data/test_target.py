"""What a target must be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trilho import data
from trilho.errors import BadData


def load(folder: Path, target: list[Any], name: str = "y", **more: Any) -> data.Dataset:
    rows = "".join(f"{number},{value}\n" for number, value in enumerate(target))
    (folder / "a.csv").write_text(f"x,y\n{rows}", encoding="utf-8")
    return data.load("a.csv", target=name, root=folder, **more)


def test_a_missing_target_names_the_near_column_and_all_others(tmp_path: Path) -> None:
    with pytest.raises(BadData, match=r"there is no target column 'Y'\. Did you mean 'y'\?") as caught:
        load(tmp_path, ["a", "b"], name="Y")
    assert caught.value.remedy == "Correct target in trilho.yaml; the columns are: x, y."


def test_missing_answers_are_counted_and_their_first_lines_named(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no value in 5 of 7 rows: line 3, line 4, line 5 and 2 more"):
        load(tmp_path, ["a", "", "", "", "b", "", ""])


@pytest.mark.parametrize("value", ["a", 1, "true"])
def test_one_class_only_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(BadData, match=r"one class only: .* in all 3 rows"):
        load(tmp_path, [value] * 3)
    if value == 1:
        with pytest.raises(BadData, match="one value only: 1 in all 3 rows"):
            load(tmp_path, [value] * 3, task="regression")


@pytest.mark.parametrize("values", [[f"id {number}" for number in range(20)], [number / 7 for number in range(20)]])
def test_a_target_of_its_own_for_each_row_is_no_class(tmp_path: Path, values: list[Any]) -> None:
    with pytest.raises(BadData, match="20 different values in 20 rows: these are no classes") as caught:
        load(tmp_path, values)
    assert ("task: regression" in caught.value.remedy) == isinstance(values[0], float)


def test_a_regression_needs_numbers(tmp_path: Path) -> None:
    assert load(tmp_path, [0.5, 1.5, 2.5], task="regression").columns[-1].kind == "number"
    with pytest.raises(BadData, match="holds 'a'; regression needs numbers"):
        load(tmp_path, ["a", "b"], task="regression")
    with pytest.raises(BadData, match="mixes numbers and words: 'none' on line 3"):
        load(tmp_path, [1.5, "none", 2.5], task="regression")


@pytest.mark.parametrize(
    ("values", "kind", "labels"),
    [
        (["yes", "no", "no"], "category", ["yes", "no", "no"]),
        ([1, 0, 1], "number", [1, 0, 1]),
        (["true", "false", "true"], "boolean", [True, False, True]),
        (["2024-01", "2024-02", "2024-01"], "category", ["2024-01", "2024-02", "2024-01"]),
    ],
)
def test_labels_stay_what_they_are(tmp_path: Path, values: list[Any], kind: str, labels: list[Any]) -> None:
    found = load(tmp_path, values)
    assert found.columns[-1].kind == kind
    assert found.frame["y"].tolist() == labels


def test_a_target_that_is_told_to_be_a_category_gets_words(tmp_path: Path) -> None:
    found = load(tmp_path, [3, 1, 3], kinds={"y": "category"})
    assert found.frame["y"].tolist() == ["3", "1", "3"]
    assert found.columns[-1].values == ("1", "3")


def test_a_target_needs_features_and_cannot_be_dropped(tmp_path: Path) -> None:
    with pytest.raises(BadData, match="no column besides the target"):
        load(tmp_path, ["a", "b"], drop=["x"])
    with pytest.raises(BadData, match="leaves out the target"):
        load(tmp_path, ["a", "b"], drop=["y"])
