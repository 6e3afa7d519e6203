from __future__ import annotations

import errno
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils.validation import _validate_metric_name
from msgspec.structs import replace

from shipped import Shipped
from trilho.errors import JournalUnwritable
from trilho.monitoring import ColumnReport, Histogram, Scores, keep_for_people, log_window, point
from trilho.monitoring.logged import Moments
from trilho.tracking import Point, Series
from unit.monitoring.test_html import performance
from unit.monitoring.test_wording import about
from unit.monitoring.windows import UNTIL, journaled, knows, report, trained, without_features

NUMBERS = st.lists(st.floats(-1e6, 1e6), max_size=30)


@given(NUMBERS, NUMBERS)
def test_moments_of_parts_are_those_of_the_whole(one: list[float], other: list[float]) -> None:
    found = Moments().and_also(np.array(one, dtype=float)).and_also(np.array(other, dtype=float))
    together = np.array([*one, *other], dtype=float)
    assert found.count == len(together)
    if len(together):
        assert found.mean == pytest.approx(together.mean(), abs=1e-6)
        assert found.deviation == pytest.approx(together.std(), abs=1e-3)


def test_scores_are_taken_while_rows_pass(shipped: Shipped) -> None:
    frame = trained(shipped)
    parts = [journaled(shipped, frame), journaled(shipped, frame, version="9"), journaled(shipped, frame[:10])]
    scores = Scores(knows(shipped, "3"))
    assert [len(part.ids) for part in scores.passing(parts)] == [len(frame), len(frame), 10]
    assert scores.of("tried", "3").count == len(frame) + 10
    assert scores.of("tried", "9").count == 0


def test_window_becomes_figures(numbers: Shipped) -> None:
    frame = trained(numbers)
    frame["mean area"] *= 3
    scores = Moments().and_also(np.array([0.25, 0.75]))
    made = point(report(numbers, journaled(numbers, frame)), scores, performance(0.9))
    assert made.at == UNTIL
    assert made.values["input_volume"] == len(frame)
    assert (made.values["prediction_mean"], made.values["prediction_std"]) == (0.5, 0.25)
    assert made.values["columns_moved"] == 1
    assert made.values["drift_effect/mean area"] > 1
    assert sum(name.startswith("drift_effect/") for name in made.values) == 5
    assert made.values["performance/f1_low"] == pytest.approx(0.88)


def test_names_are_such_as_mlflow_takes(words: Shipped) -> None:
    found = report(words, journaled(words, trained(words)))
    columns = [
        replace(column, name=name)
        for column, name in zip(found.columns, ["..", "a/../b", "São Paulo", "", "x" * 500, "a\nb"], strict=False)
    ]
    made = point(replace(found, columns=tuple(columns)), Moments())
    names = [name.partition("/")[2] for name in made.values if name.startswith("drift_effect/")]
    assert "São Paulo" in names
    assert {name[:-9] for name in names} >= {"_", "a_.._b", "x" * 91}


# What labels are called, what differs by a sign alone, and anything.
NAMES = st.one_of(st.sampled_from(["<=50K", ">50K", "_50K", "是", "否", "não", "n%o", "n_o"]), st.text(max_size=120))


@given(st.sets(NAMES, min_size=1, max_size=6))
def test_every_label_has_its_share_under_a_name_that_others_do_not_change(labels: set[str]) -> None:
    shares = _shares({label: count for count, label in enumerate(sorted(labels), start=1)})
    whole = sum(range(len(labels) + 1))
    assert sorted(shares.values()) == pytest.approx([count / whole for count in range(1, len(labels) + 1)])
    assert set(shares) == {name for label in labels for name in _shares({label: 1})}
    for name in shares:
        _validate_metric_name(name)


def test_label_that_mlflow_takes_keeps_its_name() -> None:
    kept = ["0", "leaves", "very good", "v1.2:a-b", "não", "是", "x" * 100]
    assert list(_shares(dict.fromkeys(kept, 1))) == [f"label_share/{label}" for label in kept]


def test_columns_whose_names_differ_by_a_sign_have_an_effect_each(words: Shipped) -> None:
    found = report(words, journaled(words, trained(words)))
    names = ["a<b", "a>b", "a_b"]
    columns = [replace(column, name=name) for column, name in zip(found.columns, names, strict=False)]
    made = point(replace(found, columns=tuple(columns)), Moments())
    effects = [value for name, value in made.values.items() if name.startswith("drift_effect/a_b")]
    assert sorted(effects) == sorted(column.effect for column in columns)


def _shares(counts: dict[str, int]) -> dict[str, float]:
    """label_share/… of a window with so many answers of each label."""
    rows = tuple(counts.values())
    drawn = Histogram(labels=tuple(counts), reference=(*rows, 0), current=(*rows, 0))
    answers = ColumnReport(
        name="prediction",
        kind="category",
        rows=sum(rows),
        reference_rows=sum(rows),
        missing=0.0,
        checks=(),
        histogram=drawn,
    )
    values = point(replace(about(), predicted=(answers,)), Moments()).values
    return {name: value for name, value in values.items() if name.startswith("label_share/")}


def test_how_many_columns_moved_is_not_logged_where_nobody_knows(numbers: Shipped) -> None:
    made = point(report(numbers, without_features(journaled(numbers, trained(numbers)))), Moments())
    assert "columns_moved" not in made.values
    assert {"label_share/0", "label_share/1"} <= set(made.values), "answers are known all the same"


def test_few_rows_are_counted_and_not_judged(numbers: Shipped) -> None:
    made = point(report(numbers), Moments())
    assert made.values == {"input_volume": 0.0, "model_version": 3.0}


def test_no_room_for_figures_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    series = Series(experiment="e", name="n", waiting=tmp_path / "file" / "m.jsonl")
    said = log_window(series, Point(at=1.0, values={}), None)
    assert said is not None
    assert "The figures of this window are not in MLflow" in said


def test_page_lies_beside_its_report_and_is_the_latest(tmp_path: Path, numbers: Shipped) -> None:
    found = report(numbers, journaled(numbers, trained(numbers)))
    kept = keep_for_people(tmp_path, [found], performance(0.9))
    assert kept.name == "20260102T000000Z-tried-v3.html"
    assert (tmp_path / "reports" / "latest.html").read_text(encoding="utf-8") == kept.read_text(encoding="utf-8")
    assert (tmp_path / "reports" / "performance.json").exists()


def test_page_that_finds_no_room_leaves_those_before_it(
    tmp_path: Path, numbers: Shipped, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = report(numbers, journaled(numbers, trained(numbers)))
    kept = keep_for_people(tmp_path, [found], performance(0.9))
    before = kept.read_bytes()

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(JournalUnwritable, match="No space left"):
        keep_for_people(tmp_path, [found], performance(0.5))
    assert kept.read_bytes() == before
    assert sorted(path.name for path in (tmp_path / "reports").iterdir()) == [
        kept.name,
        "latest.html",
        "performance.json",
    ]
