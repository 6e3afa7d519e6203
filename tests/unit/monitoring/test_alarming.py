from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from shipped import Shipped
from trilho.monitoring import Estimate, Estimated, Measured, Measurement, Performance, Report, WholeRows, alarms
from unit.monitoring.windows import SINCE, UNTIL, journaled, report, trained, without_features


@pytest.fixture(scope="module")
def quiet(numbers: Shipped) -> Report:
    """Of all rows: on those that it was trained on alone, a model is surer than on the test rows."""
    return report(numbers, journaled(numbers, numbers.frame))


def performance(value: float, floor: float | None, **more: Any) -> Performance:
    found = Measurement(
        model="tried",
        version="3",
        since=SINCE,
        until=UNTIL,
        labelled=400,
        min_labels=50,
        measured=(Measured(metric="f1", value=value, interval=(value - 0.02, value + 0.02), floor=floor),),
    )
    return Performance(since=SINCE, until=UNTIL, windows=(found,), whole=(found,), labels=400, **more)


def test_nothing_moved_is_no_alarm(quiet: Report) -> None:
    assert alarms(quiet) == alarms(quiet, performance(0.95, 0.9)) == ()


def test_each_thing_that_is_wrong_is_an_alarm_of_its_own(numbers: Shipped, quiet: Report) -> None:
    frame = trained(numbers) * 5
    moved = report(numbers, journaled(numbers, frame))
    assert moved.drift
    assert moved.prediction_drift
    assert alarms(moved, performance(0.8, 0.9)) == ("drift", "prediction drift", "performance")
    assert alarms(replace(moved, columns=())) == ("prediction drift",), "answers alone"
    assert alarms(quiet, performance(0.8, 0.9)) == ("performance",)
    assert alarms(replace(quiet, whole_rows=WholeRows(accuracy=0.7, p_value=1e-9, held_out=500))) == ("whole rows",)


def test_too_few_rows_are_no_alarm_but_labels_may_be(numbers: Shipped) -> None:
    few = report(numbers, journaled(numbers, (trained(numbers) * 5)[:50]))
    assert alarms(few) == ()
    assert alarms(few, performance(0.8, 0.9)) == ("performance",)


def test_features_that_nobody_knows_are_no_alarm_but_answers_may_be(numbers: Shipped) -> None:
    quiet, moved = (without_features(journaled(numbers, frame)) for frame in (numbers.frame, trained(numbers) * 5))
    assert alarms(report(numbers, quiet)) == ()
    assert alarms(report(numbers, moved)) == ("prediction drift",)


def test_what_chance_may_have_put_below_is_no_alarm(quiet: Report) -> None:
    assert alarms(quiet, performance(0.89, 0.9)) == ()
    assert alarms(quiet, performance(0.2, None)) == (), "nothing is asked"


def test_estimate_is_no_alarm(quiet: Report) -> None:
    guess = Estimate(rows=500, estimated=(Estimated(metric="f1", value=0.1, interval=(0.05, 0.15)),))
    assert alarms(quiet, performance(0.95, 0.9, estimate=guess)) == ()


def test_whole_rows_need_chance_and_size() -> None:
    assert not WholeRows(accuracy=0.54, p_value=1e-9, held_out=5000).moved
    assert not WholeRows(accuracy=0.7, p_value=0.2, held_out=10).moved
    assert not WholeRows(accuracy=0.7, p_value=1e-9, problem="too few").moved
