from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom, binomtest, fisher_exact

from trilho.monitoring.drift.missing_share import missing_share
from trilho.monitoring.drift.new_categories import new_categories
from trilho.monitoring.drift.out_of_range import out_of_range
from trilho.monitoring.drift.proportions import difference, more_than_before, share_interval
from unit.monitoring.counted import categories, numbers


@pytest.mark.parametrize(
    ("counts", "bounds"),
    [  # Newcombe (1998), table II, method 10; there the first less the second
        ((48, 80, 56, 70), (0.0524, 0.3339)),
        ((3, 10, 9, 10), (0.1705, 0.8090)),
        ((2, 7, 6, 7), (0.0582, 0.8062)),
        ((0, 29, 5, 56), (-0.0381, 0.1926)),
        ((0, 10, 10, 10), (0.6075, 1.0)),
    ],
)
def test_difference_has_the_published_intervals(counts: tuple[int, ...], bounds: tuple[float, float]) -> None:
    assert difference(*counts) == pytest.approx(bounds, abs=6e-5)


@given(st.integers(0, 300), st.integers(1, 300))
def test_share_has_the_exact_interval_of_scipy(count: int, more: int) -> None:
    truth = binomtest(count, count + more).proportion_ci(0.95, "exact")
    assert share_interval(count, count + more) == pytest.approx((truth.low, truth.high))


@given(*[st.integers(0, 80)] * 4)
def test_growth_of_a_share_is_fishers_exact_test(old: int, rest_old: int, new: int, rest_new: int) -> None:
    found = more_than_before(old, old + rest_old, new, new + rest_new)
    truth = fisher_exact([[new, rest_new], [old, rest_old]], alternative="greater").pvalue
    assert found == pytest.approx(truth, abs=1e-9)


@settings(deadline=None)
@given(*[st.integers(0, 500)] * 4)
def test_missing_shares_are_tested_exactly_and_within_bounds(one: int, gone: int, other: int, lost: int) -> None:
    before, now = categories([one], [other], missing=(gone, lost))
    found, back = missing_share(before, now), missing_share(now, before)
    assert -1 <= found.interval[0] <= found.difference <= found.interval[1] <= 1
    assert found.difference == pytest.approx(-back.difference)
    if one + gone and other + lost:
        assert found.p_value == pytest.approx(fisher_exact([[gone, one], [lost, other]]).pvalue)


@pytest.mark.parametrize(
    "draw",
    [
        lambda chance, size: chance.normal(size=size),
        lambda chance, size: chance.exponential(size=size),
        lambda chance, size: chance.poisson(3, size),  # the minimum is an atom
        lambda chance, size: chance.poisson(60, size),  # it may be shared, and is none
    ],
)
def test_out_of_range_raises_no_more_alarms_than_its_level(draw: object) -> None:
    chance = np.random.default_rng(11)
    p_values = [
        out_of_range(*numbers(draw(chance, 300), draw(chance, 500))).p_value  # type: ignore[operator]
        for _ in range(800)
    ]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.065
    assert np.mean(np.array(p_values) <= 0.01) <= 0.02


def test_rows_outside_the_range_follow_the_law_of_wilks() -> None:
    """Whatever the distribution: of 50 further rows, how many lie outside the range of 100."""
    chance = np.random.default_rng(12)
    outside = []
    for _ in range(4000):
        old, new = chance.lognormal(0, 2, 100), chance.lognormal(0, 2, 50)
        outside.append(int(((new < old.min()) | (new > old.max())).sum()))
    seen = np.bincount(outside, minlength=6)[:6] / 4000
    assert seen == pytest.approx(betabinom.pmf(np.arange(6), 50, 2, 99), abs=0.025)


def test_values_outside_the_range_are_found_on_both_sides() -> None:
    old = np.arange(1000.0)
    for far in (-5.0, 5000.0):
        found = out_of_range(*numbers(old, np.concatenate([old[:950], np.full(50, far)])))
        assert found.difference == pytest.approx(0.05, abs=0.002)
        assert found.interval[0] < found.difference < found.interval[1]
        assert found.p_value < 1e-6


def test_rows_at_the_training_minimum_are_inside_where_it_is_an_atom() -> None:
    old = np.concatenate([np.zeros(500), np.arange(500.0)])
    assert out_of_range(*numbers(old, np.zeros(400))).difference == 0


def test_rare_categories_that_chance_brings_are_no_alarm() -> None:
    """2,000 streets, 1,500 rows: half of the further rows' streets are new, as the once-seen ones foretell."""
    chance = np.random.default_rng(4)
    alarms = 0
    for _ in range(200):
        old, new = chance.zipf(1.5, 1500), chance.zipf(1.5, 400)
        names, counts = np.unique(old, return_counts=True)
        seen = [int((new == name).sum()) for name in names]
        found = new_categories(*categories(counts.tolist(), seen, others=(0, 400 - sum(seen))))
        assert found.interval[0] <= found.share <= found.interval[1]
        alarms += found.p_value <= 0.01
    assert alarms <= 8


def test_nothing_to_compare_gives_no_evidence() -> None:
    assert new_categories(*categories([], [])).p_value == 1
    assert missing_share(*categories([], [])).p_value == 1
    assert out_of_range(*numbers([], [])).p_value == 1
    assert more_than_before(5, 5, 3, 9) == 1
