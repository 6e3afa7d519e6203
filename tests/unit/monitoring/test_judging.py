from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from trilho.bundle import CategoryCounts, NumberCounts
from trilho.monitoring.judging import judge
from trilho.project.file import DriftRule
from unit.monitoring.counted import categories, numbers

RULE = DriftRule(min_rows=100)


def two(seed: int, *, shift: float = 0.0, old: int = 2000, new: int = 1000) -> tuple[NumberCounts, NumberCounts]:
    chance = np.random.default_rng(seed)
    before, now = numbers(chance.normal(size=old), chance.normal(shift, size=new))
    return before, now


def test_certain_but_small_is_no_move() -> None:
    """A hundredth of a deviation in a million rows: nobody doubts it, nobody minds."""
    [report] = judge(*zip(two(0, shift=0.02, old=1_000_000, new=1_000_000), strict=True), RULE)  # type: ignore[misc]
    check = next(check for check in report.checks if check.question == "values")
    assert check.significant
    assert not check.moved
    assert not report.moved


def test_large_but_uncertain_is_no_move() -> None:
    before, now = categories([50, 50], [60, 40])
    [report] = judge([before], [now], DriftRule(min_rows=10, jensen_shannon=0.05))
    check = next(check for check in report.checks if check.question == "values")
    assert check.effects[0].over
    assert not check.significant
    assert not check.moved


def test_certain_and_large_is_a_move() -> None:
    before, now = two(1, shift=0.5)
    [report] = judge([before], [now], RULE)
    assert report.moved
    worst = report.worst
    assert worst is not None
    assert worst[0].question == "values"


def test_p_values_are_adjusted_over_all_checks_of_all_columns() -> None:
    pairs = [two(seed, shift=seed / 20) for seed in range(10)]
    reports = judge([old for old, _ in pairs], [new for _, new in pairs], RULE)
    checks = [check for report in reports for check in report.checks]
    assert len(checks) == 30
    wanted = false_discovery_control([check.p_value for check in checks])
    assert [check.adjusted for check in checks] == pytest.approx(wanted.tolist())
    assert [check.significant for check in checks] == (wanted <= RULE.alpha).tolist()


def test_column_with_too_few_rows_has_no_checks_and_takes_no_part() -> None:
    one, few = two(2, shift=1.0), two(3, new=99)
    reports = judge([one[0], few[0]], [one[1], few[1]], RULE)
    assert [bool(report.checks) for report in reports] == [True, False]
    assert reports[0].checks == judge([one[0]], [one[1]], RULE)[0].checks


@pytest.mark.parametrize("name", ["wasserstein", "jensen_shannon", "missing_share", "out_of_range", "new_categories"])
def test_threshold_of_each_method_decides(name: str) -> None:
    before, now = two(4, shift=0.6)
    old, new = categories([500, 500], [300, 500], others=(0, 200), missing=(0, 300))
    outside = replace(now, counts=(*now.counts[:-1], now.counts[-1] + 300))

    def moving(**rule: float) -> set[str]:
        """The methods of the checks that say moved."""
        reports = judge([before, old, before], [now, new, outside], DriftRule(**{"population_stability": 1e9, **rule}))
        checks = [check for report in reports for check in report.checks if check.moved]
        return {effect.method for check in checks for effect in check.effects}

    assert name in moving()
    assert name not in moving(**{name: 99.0})


def test_constant_training_column_that_varies_now_has_moved() -> None:
    before, now = numbers(np.full(1000, 3.0), np.random.default_rng(0).normal(3, 1, 500))
    assert judge([before], [now], RULE)[0].moved


def test_column_that_became_constant_has_moved() -> None:
    before, now = numbers(np.random.default_rng(0).normal(3, 1, 1000), np.full(500, 3.0))
    assert judge([before], [now], RULE)[0].moved


def test_column_that_became_null_has_moved_by_that_alone() -> None:
    before, now = numbers(np.random.default_rng(0).normal(3, 1, 1000), np.full(500, np.nan))
    [report] = judge([before], [now], RULE)
    assert [check.question for check in report.checks if check.moved] == ["missing"]
    assert report.missing == 1


def test_column_that_training_had_no_value_of_has_moved_when_it_has_some() -> None:
    before, now = numbers(np.full(1000, np.nan), np.arange(500.0))
    assert [check.question for check in judge([before], [now], RULE)[0].checks if check.moved] == ["missing"]


def test_histogram_holds_every_row_with_a_value() -> None:
    before, now = two(6, shift=2.0)
    old, new = categories(list(range(1, 30)), list(range(29)), others=(3, 4))
    for report, counts in zip(judge([before, old], [now, new], RULE), (now, new), strict=True):
        known = sum(counts.counts) + (counts.other if isinstance(counts, CategoryCounts) else 0)
        drawn = report.histogram
        assert sum(drawn.current) == known
        assert len(drawn.current) == len(drawn.reference)
        assert len(drawn.current) == (len(drawn.edges) + 1 if drawn.edges else len(drawn.labels) + 1)
