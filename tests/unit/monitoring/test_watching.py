from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from shipped import Shipped
from trilho import bundle
from trilho.journal import Rows
from trilho.monitoring import Reference, Window, watch
from trilho.project.file import DriftRule
from unit.monitoring.windows import SINCE, UNTIL, journaled, knows, reference, report, reports, trained

HOUR = 3600.0


def test_training_rows_have_not_moved(shipped: Shipped) -> None:
    found = report(shipped, journaled(shipped, trained(shipped)))
    assert [column.effect for column in found.columns] == pytest.approx([0.0] * len(shipped.schema.fields), abs=1e-9)
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
    assert found.columns[0].effect > 1
    assert not found.drift, "one of thirty"
    assert report(numbers, journaled(numbers, frame), share=1 / 30).drift


def test_what_moved_is_told_by_the_question_that_found_it(words: Shipped) -> None:
    frame = trained(words)
    frame["plan"] = "never seen"
    frame["income"] = np.nan
    frame["age"] += 30
    found = report(words, journaled(words, frame))
    questions = {column.name: {check.question for check in column.checks if check.moved} for column in found.moved}
    assert questions == {
        "plan": {"values", "new categories"},
        "income": {"missing"},
        "age": {"values", "out of range"},
    }
    assert found.drift, "three of six"


def test_answers_that_changed_are_told_apart_from_inputs(numbers: Shipped) -> None:
    frame = trained(numbers)
    malignant = frame[numbers.answers(frame).labels == 0]
    found = report(numbers, journaled(numbers, malignant))
    assert {column.name: column.moved for column in found.predicted} == {"prediction": True, "score": True}
    assert found.prediction_drift


def test_too_few_predictions_says_so_instead_of_guessing(numbers: Shipped) -> None:
    frame = trained(numbers)[:99] * 100
    found = report(numbers, journaled(numbers, frame))
    assert (found.rows, found.enough, found.drift, found.judged) == (99, False, False, ())
    assert found.facts()["drift"] is None
    assert report(numbers, journaled(numbers, frame), min_rows=99).drift


def test_no_predictions_at_all_are_too_few(numbers: Shipped) -> None:
    found = report(numbers)
    assert (found.rows, found.enough, found.drift, found.first) == (0, False, False, None)


def test_window_of_one_row_is_too_few(shipped: Shipped) -> None:
    found = report(shipped, journaled(shipped, shipped.frame[:1]), min_rows=2)
    assert (found.rows, found.enough, found.judged) == (1, False, ())


def test_each_version_is_compared_with_its_own_training_rows(numbers: Shipped) -> None:
    frame = trained(numbers)
    old, new = reference(numbers), reference(numbers)
    profile = bundle.profile({name: values * 100 for name, values in _columns(numbers, frame).items()}, old.schema)
    older = Reference(schema=old.schema, profile=replace(profile, predicted=old.profile.predicted))
    found = watch(
        [journaled(numbers, frame * 100, version="2"), journaled(numbers, frame, version="3")],
        model="tried",
        version="3",
        find=lambda _, version: older if version == "2" else new,
        since=SINCE,
        until=UNTIL,
        rule=DriftRule(),
    )
    assert [(one.version, one.rows, one.drift) for one in found] == [
        ("3", len(frame), False),
        ("2", len(frame), False),
    ], "each has not moved from its own"


def test_answers_of_unknown_versions_are_counted_and_left_out(numbers: Shipped) -> None:
    frame = trained(numbers)
    moved = journaled(numbers, frame * 100, version="2")
    other = journaled(numbers, frame[:7] * 100, model="else")
    found = reports(numbers, journaled(numbers, frame), moved, other)
    assert len(found) == 1
    assert [(one.model, one.version, one.rows) for one in found[0].others] == [
        ("tried", "2", len(frame)),
        ("else", "3", 7),
    ]
    assert found[0].moved == ()


def test_version_in_charge_has_a_report_before_it_answers(numbers: Shipped) -> None:
    first, second = reports(numbers, journaled(numbers, trained(numbers), version="2"), versions=("2", "3"))
    assert (first.version, first.rows, first.enough) == ("3", 0, False)
    assert (second.version, second.enough) == ("2", True)


def test_window_in_pieces_is_the_window_in_one(words: Shipped) -> None:
    whole = journaled(words, words.frame)
    places = np.arange(len(words.frame))
    pieces: Iterable[Rows] = (whole.where(places[start : start + 37]) for start in range(0, len(places), 37))
    assert report(words, *pieces) == report(words, whole)


def test_order_of_rows_changes_nothing(shipped: Shipped) -> None:
    whole = journaled(shipped, shipped.frame)
    mixed = whole.where(np.random.default_rng(1).permutation(len(shipped.frame)))
    assert report(shipped, mixed) == report(shipped, whole)


def test_windows_of_replicas_add_up_to_the_window_of_all(shipped: Shipped) -> None:
    whole = journaled(shipped, shipped.frame)
    odd = np.arange(len(shipped.frame)) % 3 == 1
    one, other, all_rows = (Window(since=SINCE, until=UNTIL, find=knows(shipped, "3")) for _ in range(3))
    one.add(whole.where(odd))
    other.add(whole.where(~odd))
    all_rows.add(whole)
    one.merge(other)
    assert one.report("tried", "3", DriftRule()) == all_rows.report("tried", "3", DriftRule())


def test_windows_of_different_times_do_not_add_up(numbers: Shipped) -> None:
    one = Window(since=SINCE, until=UNTIL, find=knows(numbers, "3"))
    other = Window(since=SINCE + 1, until=UNTIL, find=knows(numbers, "3"))
    with pytest.raises(ValueError, match="different times"):
        one.merge(other)


def test_times_are_left_out_because_they_always_move(words: Shipped) -> None:
    found = reference(words)
    fields = tuple(replace(field, kind="time") if field.name == "age" else field for field in found.schema.fields)
    rows = journaled(words, trained(words))
    days = np.datetime64("2026-01-01", "ns") + np.arange(len(rows.ids)).astype("timedelta64[D]")
    rows = replace(rows, columns={**rows.columns, "age": days})
    timed = Reference(schema=replace(found.schema, fields=fields), profile=found.profile)
    [only] = watch(
        [rows],
        model="tried",
        version="3",
        find=lambda *_: timed,
        since=SINCE,
        until=UNTIL,
        rule=DriftRule(min_rows=10),
    )
    assert "age" not in {column.name for column in only.columns}
    assert not only.drift


def test_feature_that_the_journal_does_not_keep_is_unknown_not_missing(words: Shipped) -> None:
    rows = journaled(words, trained(words))
    rows = replace(rows, columns={name: values for name, values in rows.columns.items() if name != "street"})
    found = report(words, rows)
    street = next(column for column in found.columns if column.name == "street")
    assert (street.rows, street.checks, street.moved) == (0, (), False)
    assert len(found.judged) == len(found.columns) - 1


def test_move_in_the_middle_of_the_window_is_dated(words: Shipped) -> None:
    frame = pd.concat([trained(words)] * 2, ignore_index=True)
    later = frame.index >= len(frame) * 0.75
    frame.loc[later, "age"] += 40
    frame.loc[later, "plan"] = "c"
    found = report(words, journaled(words, frame))
    since = {column.name: (column.since - SINCE) / HOUR for column in found.moved if column.since is not None}
    assert since == pytest.approx({"age": 18.0, "plan": 18.0}, abs=1.0)
    assert found.since_when == pytest.approx(SINCE + 18 * HOUR, abs=HOUR)


def test_move_that_was_there_from_the_first_row_is_dated_to_the_begin(words: Shipped) -> None:
    frame = trained(words).assign(plan="c")
    assert {column.since for column in report(words, journaled(words, frame)).moved} == {SINCE}


def test_move_that_grew_within_the_window_is_dated_to_its_begin(words: Shipped) -> None:
    frame = pd.concat([trained(words)] * 2, ignore_index=True)
    frame["age"] += np.where(frame.index >= len(frame) / 2, 60, 30)
    [age] = report(words, journaled(words, frame)).moved
    assert age.since == SINCE


def test_few_rows_must_move_further(numbers: Shipped) -> None:
    """Half a deviation: an effect over its threshold either way, and chance enough with eight rows."""
    frame = trained(numbers)
    frame["mean texture"] += frame["mean texture"].std() / 2
    many = report(numbers, journaled(numbers, frame), min_rows=5)
    few = report(numbers, journaled(numbers, frame.sample(8, random_state=0)), min_rows=5)
    assert [column.name for column in many.moved] == ["mean texture"]
    assert few.moved == ()


def _columns(shipped: Shipped, frame: pd.DataFrame) -> dict[str, np.ndarray]:
    return dict(journaled(shipped, frame).columns)
