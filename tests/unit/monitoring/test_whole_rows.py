from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shipped import Shipped
from trilho.bundle import Field
from trilho.monitoring import Report, Sample, WholeRows, compare_with_earlier
from trilho.monitoring.alarming import alarms
from trilho.monitoring.drift.whole_rows import whole_rows
from trilho.monitoring.html import render
from unit.monitoring.test_faults import written
from unit.monitoring.windows import SINCE, journaled, report, trained

FIELDS = [Field(name=name, kind="number", nullable=True) for name in ("a", "b", "c")]


def drawn(dice: np.random.Generator, rows: int) -> dict[str, np.ndarray]:
    return {field.name: dice.normal(size=rows) for field in FIELDS}


def test_rows_of_one_distribution_are_seldom_told_apart() -> None:
    p_values = []
    for turn in range(40):
        dice = np.random.default_rng(turn)
        p_values.append(whole_rows(drawn(dice, 300), drawn(dice, 500), FIELDS, seed=turn).p_value)
    assert sum(value <= 0.05 for value in p_values) <= 6, "2 of 40 are due"
    assert np.mean(p_values) > 0.35


def test_columns_that_no_longer_belong_together_are_found_while_each_is_as_it_was() -> None:
    dice = np.random.default_rng(0)
    together = dice.multivariate_normal([0, 0, 0], [[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]], 1000)
    before = {field.name: together[:, place] for place, field in enumerate(FIELDS)}
    found = whole_rows(before, drawn(dice, 1000), FIELDS)
    assert found.accuracy > 0.6
    assert found.auc > found.accuracy
    assert found.p_value < 1e-6
    assert found.held_out == 1000


def test_categories_missing_values_and_unknown_words_are_seen(words: Shipped) -> None:
    frame = trained(words)
    before = journaled(words, frame).columns
    for column, value in (("city", None), ("plan", "other")):
        moved = frame.copy()
        moved[column] = moved[column].astype(object)
        moved.loc[::2, column] = value
        found = whole_rows(before, journaled(words, moved).columns, words.schema.fields)
        assert found.p_value < 0.01, column


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_hardly_any_rows_say_nothing_and_fail_nothing(rows: int) -> None:
    dice = np.random.default_rng(0)
    found = whole_rows(drawn(dice, rows), drawn(dice, 100), FIELDS)
    assert found.p_value > 0.01


def test_columns_of_one_side_alone_are_left_out() -> None:
    dice = np.random.default_rng(0)
    before = drawn(dice, 200)
    now = {"a": dice.normal(size=200), "z": np.ones(200)}
    assert whole_rows(before, now, FIELDS).p_value > 0.001
    assert whole_rows(before, {"z": np.ones(200)}, FIELDS).held_out == 0


def compared(shipped: Shipped, folder: Path, now: Report, *, min_rows: int = 100) -> WholeRows:
    """The version's first rows in the folder beside a window that holds the training rows."""
    window = Sample("tried", "3")
    window.add(journaled(shipped, trained(shipped)))
    return compare_with_earlier(folder, window, now, shipped.schema, min_rows=min_rows)


def test_window_is_compared_with_the_first_rows_of_its_version(shipped: Shipped, tmp_path: Path) -> None:
    frame = trained(shipped)
    now = report(shipped, journaled(shipped, frame))
    written(tmp_path, shipped, frame, at=SINCE - 80_000)
    same = compared(shipped, tmp_path, now)
    assert (same.problem, same.moved) == ("", False)
    assert same.since == SINCE - 80_000
    assert same.until is not None
    assert same.until < SINCE


def test_other_first_rows_raise_an_alarm(numbers: Shipped, tmp_path: Path) -> None:
    from msgspec.structs import replace

    frame = trained(numbers)
    now = report(numbers, journaled(numbers, frame))
    written(tmp_path, numbers, frame * 3, at=SINCE - 80_000)
    found = compared(numbers, tmp_path, now)
    told = replace(now, whole_rows=found)
    assert found.moved
    assert "whole rows" in alarms(told)
    assert told.facts()["whole_rows"]["moved"] is True
    assert Report.from_json(told.to_json()) == told
    assert "told rows of this window from the first rows of this version" in render(told)


def test_rows_of_another_version_or_of_the_window_are_no_first_rows(numbers: Shipped, tmp_path: Path) -> None:
    frame = trained(numbers)
    now = report(numbers, journaled(numbers, frame))
    written(tmp_path, numbers, frame, at=SINCE - 80_000, version="2")
    written(tmp_path, numbers, frame, at=SINCE + 60)
    found = compared(numbers, tmp_path, now)
    assert "100 earlier rows of this version are needed to compare with, the journal has 0" in found.problem
    assert not found.moved


def test_too_few_predictions_say_so(numbers: Shipped, tmp_path: Path) -> None:
    frame = trained(numbers)
    now = report(numbers, journaled(numbers, frame))
    assert "10,000 predictions are needed" in compared(numbers, tmp_path, now, min_rows=10_000).problem
