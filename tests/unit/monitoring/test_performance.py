from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from shipped import Shipped
from trilho.bundle import Field, Schema
from trilho.errors import JournalUnreadable
from trilho.journal import Answered, Features, Journal, TrueLabel, label
from trilho.metrics import METRICS
from trilho.monitoring import Measured, Performance, Reference, measure
from unit.monitoring.windows import reference

DAY = 86_400.0
NOW = 1_767_225_600.0 + 30 * DAY
NAMES = ("accuracy", "recall", "roc_auc")


def answered(
    folder: Path, shipped: Shipped, *, at: float = NOW - 60, version: str = "3", request: str = "a", rows: int = 400
) -> np.ndarray:
    """Journal the model's answers to its own rows; their truth, as the model's labels."""
    frame = shipped.frame[:rows]
    answers = shipped.answers(frame)
    journal = Journal(folder)
    journal.append(
        Answered(
            request=request,
            time=at,
            model="tried",
            version=version,
            latency=0.001,
            features=Features.of({"x": np.arange(len(frame), dtype=float)}),
            labels=answers.labels,
            probabilities=answers.probabilities,
        )
    )
    journal.close()
    return shipped.truth[:rows].to_numpy()


def told(folder: Path, truth: np.ndarray, *, request: str = "a", at: float = NOW - 30) -> None:
    label(folder, [TrueLabel(id=f"{request}-{row}", label=value, time=at) for row, value in enumerate(truth.tolist())])


def measured(folder: Path, shipped: Shipped, **wanted: object) -> Performance:
    known = reference(shipped)
    asked = {"metrics": NAMES, "min_labels": 50, "since": NOW - DAY, "until": NOW, **wanted}
    return measure(folder, find=lambda *_: known, **asked)  # type: ignore[arg-type]


def test_numbers_are_those_of_the_catalogue(tmp_path: Path, shipped: Shipped) -> None:
    truth = answered(tmp_path, shipped)
    told(tmp_path, truth)
    [window] = measured(tmp_path, shipped).windows
    answers = shipped.answers(shipped.frame[:400])
    wrong = answers.labels != truth
    by_name = {one.metric: one for one in window.measured}
    assert by_name["accuracy"].value == pytest.approx(1 - wrong.mean())
    assert set(by_name) == set(NAMES)
    assert (window.labelled, window.late, window.unusable, window.delay) == (len(truth), 0, 0, pytest.approx(30.0))
    for one in window.measured:
        if one.interval is not None and one.value is not None:
            least, most = METRICS[one.metric].range
            assert least <= one.interval[0] < one.value <= one.interval[1] <= most


def test_late_label_counts_in_the_window_of_its_prediction(tmp_path: Path, numbers: Shipped) -> None:
    truth = answered(tmp_path, numbers, at=NOW - 2.5 * DAY)
    assert measured(tmp_path, numbers).windows == ()
    told(tmp_path, truth, at=NOW - 10)
    found = measured(tmp_path, numbers)
    [window] = found.windows
    assert (window.since, window.until) == (NOW - 3 * DAY, NOW - 2 * DAY)
    assert window.late == len(truth)
    assert found.newest("tried", "3") == window


def test_repeated_label_counts_once_and_unknown_ids_are_counted(tmp_path: Path, numbers: Shipped) -> None:
    truth = answered(tmp_path, numbers)
    told(tmp_path, 1 - truth, at=NOW - 50)
    told(tmp_path, truth, at=NOW - 20)
    told(tmp_path, truth[:7], request="never-asked")
    found = measured(tmp_path, numbers)
    assert (found.labels, found.repeated, found.unmatched) == (2 * len(truth) + 7, len(truth), 7)
    [window] = found.windows
    assert window.labelled == len(truth)
    accuracy = window.measured[0].value
    assert accuracy is not None
    assert accuracy > 0.9, "the first labels said the opposite"


def test_label_that_the_model_cannot_give_is_counted_and_left_out(tmp_path: Path, numbers: Shipped) -> None:
    truth = answered(tmp_path, numbers)
    told(tmp_path, truth)
    label(tmp_path, [TrueLabel(id="a-0", label="1", time=NOW), TrueLabel(id="a-1", label=9, time=NOW)])
    [window] = measured(tmp_path, numbers).windows
    assert (window.labelled, window.unusable) == (len(truth) - 2, 2)


def test_too_few_labels_give_no_number(tmp_path: Path, numbers: Shipped) -> None:
    truth = answered(tmp_path, numbers)
    told(tmp_path, truth[:49])
    found = measured(tmp_path, numbers, floors={"accuracy": 1.0})
    assert [(one.labelled, one.enough, one.measured) for one in found.windows] == [(49, False, ())]
    assert found.newest("tried", "3") is None
    assert not found.dropped("tried", "3")


def test_windows_with_too_few_labels_are_enough_together(tmp_path: Path, numbers: Shipped) -> None:
    for place, request in enumerate(("a", "b")):
        truth = answered(tmp_path, numbers, at=NOW - 60 - place * DAY, request=request, rows=30)
        told(tmp_path, truth, request=request)
    found = measured(tmp_path, numbers)
    assert [one.enough for one in found.windows] == [False, False]
    newest = found.newest("tried", "3")
    assert newest == found.total("tried", "3")
    assert newest is not None
    assert (newest.labelled, newest.since) == (60, NOW - 7 * DAY)


def test_each_version_has_its_own_numbers(tmp_path: Path, numbers: Shipped) -> None:
    for version, request in (("2", "a"), ("3", "b")):
        truth = answered(tmp_path, numbers, version=version, request=request)
        told(tmp_path, truth if version == "3" else 1 - truth, request=request)
    found = measured(tmp_path, numbers, floors={"accuracy": 0.9})
    assert {one.version for one in found.windows} == {"2", "3"}
    assert found.dropped("tried", "2")
    assert not found.dropped("tried", "3")


def test_drop_needs_the_whole_interval_below_the_floor(tmp_path: Path, numbers: Shipped) -> None:
    truth = answered(tmp_path, numbers)
    told(tmp_path, np.where(np.arange(len(truth)) % 10 == 0, 1 - truth, truth))
    value = measured(tmp_path, numbers).windows[0].measured[0].value
    assert value is not None
    near = measured(tmp_path, numbers, floors={"accuracy": value + 0.005})
    assert near.windows[0].measured[0].under
    assert not near.dropped("tried", "3"), "chance could do that"
    assert measured(tmp_path, numbers, floors={"accuracy": value + 0.1}).dropped("tried", "3")


def test_floor_of_an_error_is_the_most_allowed() -> None:
    assert Measured(metric="rmse", value=3.0, interval=(2.5, 3.5), floor=2.0).below
    assert not Measured(metric="rmse", value=3.0, interval=(1.9, 4.1), floor=2.0).below
    assert Measured(metric="accuracy", value=0.0, floor=0.5).below, "all wrong: no interval, and no doubt"


def test_numbers_are_measured_by_their_errors(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    guess = np.linspace(0, 1, 80)
    journal.append(
        Answered(
            request="a",
            time=NOW - 60,
            model="tried",
            version="3",
            latency=0.001,
            features=Features.of({"x": guess}),
            labels=guess,
            probabilities=None,
        )
    )
    journal.close()
    told(tmp_path, guess[:79] + 0.5)
    label(tmp_path, [TrueLabel(id="a-79", label="no number", time=NOW)])
    schema = Schema(task="regression", target="y", fields=(Field(name="x", kind="number", nullable=False),))
    found = measure(
        tmp_path,
        since=NOW - DAY,
        until=NOW,
        find=lambda *_: Reference(schema=schema, profile=None),  # type: ignore[arg-type]
        metrics=["mae", "accuracy", "of my own"],
    )
    [window] = found.windows
    assert (window.labelled, window.unusable) == (79, 1)
    assert [(one.metric, one.value) for one in window.measured] == [("mae", pytest.approx(0.5))]


def test_interval_of_many_rows_is_scaled_from_fewer(tmp_path: Path, numbers: Shipped) -> None:
    rng = np.random.default_rng(5)
    rows = 40_000
    truth = rng.integers(0, 2, rows)
    right = rng.random(rows) < 0.8
    journal = Journal(tmp_path)
    journal.append(
        Answered(
            request="a",
            time=NOW - 60,
            model="tried",
            version="3",
            latency=0.001,
            features=Features.of({"x": np.zeros(rows)}),
            labels=np.where(right, truth, 1 - truth),
            probabilities=None,
        )
    )
    journal.close()
    told(tmp_path, truth)
    [one] = measured(tmp_path, numbers).windows[0].measured[:1]
    assert one.interval is not None
    assert one.interval[1] - one.interval[0] == pytest.approx(2 * 1.96 * (0.8 * 0.2 / rows) ** 0.5, rel=0.1)


def test_answers_without_probabilities_are_measured_by_their_labels(tmp_path: Path, numbers: Shipped) -> None:
    truth = np.arange(60) % 2
    journal = Journal(tmp_path)
    journal.append(
        Answered(
            request="a",
            time=NOW - 60,
            model="tried",
            version="3",
            latency=0.001,
            features=Features.of({"x": np.zeros(60)}),
            labels=truth,
            probabilities=None,
        )
    )
    journal.close()
    told(tmp_path, truth)
    assert [one.metric for one in measured(tmp_path, numbers).windows[0].measured] == ["accuracy", "recall"]


def test_versions_that_are_not_known_are_left_out(tmp_path: Path, numbers: Shipped) -> None:
    told(tmp_path, answered(tmp_path, numbers))
    found = measure(tmp_path, since=NOW - DAY, until=NOW, find=lambda *_: None, metrics=NAMES)
    assert (found.windows, found.whole) == ((), ())
    assert found.labels > 0


def test_no_labels_are_no_numbers(tmp_path: Path, numbers: Shipped) -> None:
    answered(tmp_path, numbers)
    found = measured(tmp_path, numbers)
    assert (found.labels, found.windows, found.newest("tried", "3")) == (0, (), None)
    assert measured(tmp_path / "nowhere", numbers).labels == 0


def test_json_gives_back_the_same(tmp_path: Path, numbers: Shipped) -> None:
    told(tmp_path, answered(tmp_path, numbers))
    found = measured(tmp_path, numbers, floors={"f1": 0.9})
    assert Performance.from_json(found.to_json()) == found
    for broken in ("", "{}", found.to_json()[:-5], found.to_json().replace('"format":1', '"format":2')):
        with pytest.raises(JournalUnreadable):
            Performance.from_json(broken)
