from __future__ import annotations

import errno
from pathlib import Path

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shipped import Shipped
from trilho.errors import JournalUnwritable
from trilho.monitoring import Scores, keep_for_people, log_window, point
from trilho.monitoring.logged import Moments
from trilho.tracking import Point, Series
from unit.monitoring.test_html import performance
from unit.monitoring.windows import UNTIL, journaled, knows, report, trained

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
        msgspec.structs.replace(column, name=name)
        for column, name in zip(found.columns, ["..", "a/../b", "São Paulo", "", "x" * 500, "a\nb"], strict=False)
    ]
    made = point(msgspec.structs.replace(found, columns=tuple(columns)), Moments())
    names = [name.partition("/")[2] for name in made.values if name.startswith("drift_effect/")]
    assert {"_", "a_.._b", "S_o Paulo", "x" * 100} <= set(names)


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
