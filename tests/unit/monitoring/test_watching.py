from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from shipped import Shipped
from trilho import bundle
from trilho.bundle.columns import columns_of
from trilho.journal import Rows
from trilho.monitoring import Report, watch


def journaled(shipped: Shipped, frame: pd.DataFrame, *, version: str = "3", model: str = "tried") -> Rows:
    """Rows as the journal holds them after these were answered."""
    answers = shipped.answers(frame)
    size = len(frame)
    return Rows(
        ids=np.array([f"r-{row}" for row in range(size)], dtype=object),
        times=np.full(size, np.datetime64("2026-01-01", "us")),
        models=np.array([model] * size, dtype=object),
        versions=np.array([version] * size, dtype=object),
        latencies=np.zeros(size),
        columns=columns_of(frame, shipped.schema.fields),
        labels=answers.labels,
        probabilities=answers.probabilities,
    )


def report(shipped: Shipped, *rows: Rows, **more: Any) -> Report:
    settings: dict[str, Any] = {"share": 0.3, "min_rows": 100, **more}
    return watch(
        rows,
        schema=shipped.schema,
        reference=bundle.read_profile(shipped.path),
        model="tried",
        version="3",
        since=0.0,
        until=10.0,
        **settings,
    )


def trained(shipped: Shipped) -> pd.DataFrame:
    return shipped.frame[: int(len(shipped.frame) * 0.7)].reset_index(drop=True)


def test_training_rows_have_not_moved(shipped: Shipped) -> None:
    found = report(shipped, journaled(shipped, trained(shipped)))
    assert [column.index for column in found.columns] == pytest.approx([0.0] * len(shipped.schema.fields))
    assert not found.drift
    assert found.enough


def test_rows_drawn_from_the_training_rows_raise_no_alert(shipped: Shipped) -> None:
    for seed in range(5):
        drawn = trained(shipped).sample(200, replace=True, random_state=seed)
        found = report(shipped, journaled(shipped, drawn))
        assert not found.drift
        assert len(found.moved) <= 1, [column.name for column in found.moved]


def test_moved_column_is_named_and_comes_first(numbers: Shipped) -> None:
    frame = trained(numbers)
    frame["mean area"] += 2 * frame["mean area"].std()
    found = report(numbers, journaled(numbers, frame))
    assert [column.name for column in found.moved] == ["mean area"]
    assert found.columns[0].name == "mean area"
    assert found.columns[0].index > 1
    assert not found.drift, "one of thirty"
    assert report(numbers, journaled(numbers, frame), share=1 / 30).drift


def test_new_categories_and_missing_values_are_moves(words: Shipped) -> None:
    frame = trained(words)
    frame["plan"] = "never seen"
    frame["income"] = np.nan
    found = report(words, journaled(words, frame))
    assert {column.name for column in found.moved} == {"plan", "income"}
    assert found.drift, "two of six"


def test_answers_that_changed_are_told_apart_from_inputs(numbers: Shipped) -> None:
    frame = trained(numbers)
    malignant = frame[numbers.answers(frame).labels == 0]
    found = report(numbers, journaled(numbers, malignant))
    names = {column.name: column.moved for column in found.predicted}
    assert names == {"prediction": True, "score": True}


def test_too_few_predictions_says_so_instead_of_guessing(numbers: Shipped) -> None:
    frame = trained(numbers)[:99] * 100
    found = report(numbers, journaled(numbers, frame))
    assert (found.rows, found.enough, found.drift, found.columns) == (99, False, False, ())
    assert report(numbers, journaled(numbers, frame), min_rows=99).drift


def test_no_predictions_at_all_are_too_few(numbers: Shipped) -> None:
    found = report(numbers)
    assert (found.rows, found.enough, found.drift) == (0, False, False)


def test_answers_of_others_are_counted_and_left_out(numbers: Shipped) -> None:
    frame = trained(numbers)
    moved = journaled(numbers, frame * 100, version="2")
    other = journaled(numbers, frame * 100, model="else")
    found = report(numbers, journaled(numbers, frame), moved, other)
    assert (found.rows, found.other_rows, found.moved) == (len(frame), 2 * len(frame), ())


def test_window_in_pieces_is_the_window_in_one(words: Shipped) -> None:
    frame = words.frame
    whole = report(words, journaled(words, frame))
    pieces: Iterable[Rows] = (journaled(words, frame[start : start + 37]) for start in range(0, len(frame), 37))
    assert report(words, *pieces) == whole


def test_times_are_left_out_because_they_always_move(words: Shipped) -> None:
    from dataclasses import replace

    fields = tuple(replace(field, kind="time") if field.name == "age" else field for field in words.schema.fields)
    profile = bundle.read_profile(words.path)
    frame = trained(words)
    rows = journaled(words, frame)
    days = np.datetime64("2026-01-01", "ns") + np.arange(len(frame)).astype("timedelta64[D]")
    rows = replace(rows, columns={**rows.columns, "age": days})
    found = watch(
        [rows], schema=replace(words.schema, fields=fields), reference=profile, model="tried", version="3",
        since=0.0, until=1.0, share=0.1, min_rows=10,
    )  # fmt: skip
    assert "age" not in {column.name for column in found.columns}
    assert not found.drift


def test_few_rows_on_either_side_must_move_further(numbers: Shipped) -> None:
    drawn = trained(numbers).sample(30, random_state=1)
    few = report(numbers, journaled(numbers, drawn), min_rows=10)
    many = report(numbers, journaled(numbers, trained(numbers)), min_rows=10)
    assert min(column.required for column in few.columns) > max(column.required for column in many.columns)
    assert not few.drift
