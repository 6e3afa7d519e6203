from __future__ import annotations

import doctest
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2, entropy

from trilho.bundle import CategoryCounts, NumberCounts
from trilho.monitoring.drift import population_stability
from trilho.monitoring.drift.population_stability import noise, population_stability_index, shared_bins

COUNTS = st.lists(st.integers(1, 10_000), min_size=2, max_size=12)


def test_examples_of_the_docstrings_run() -> None:
    assert doctest.testmod(population_stability).failed == 0


def test_worked_example_comes_out_as_by_hand() -> None:
    """(0.25 - 0.5) ln(0.25 / 0.5) + (0.75 - 0.5) ln(0.75 / 0.5)"""
    assert population_stability_index([10, 10], [5, 15]) == pytest.approx(0.25 * math.log(2) + 0.25 * math.log(1.5))


@given(COUNTS, st.data())
def test_index_is_the_symmetric_divergence_of_the_shares(before: list[int], data: st.DataObject) -> None:
    now = data.draw(st.lists(st.integers(1, 10_000), min_size=len(before), max_size=len(before)))
    p, q = np.array(before) / sum(before), np.array(now) / sum(now)
    wanted = entropy(p, q) + entropy(q, p)
    assert population_stability_index(before, now) == pytest.approx(wanted, abs=1e-12)
    assert population_stability_index(now, before) == pytest.approx(wanted, abs=1e-12)


@given(COUNTS, st.integers(1, 50))
def test_equal_shares_have_index_zero(before: list[int], times: int) -> None:
    assert population_stability_index(before, [count * times for count in before]) == pytest.approx(0, abs=1e-12)


def test_empty_bin_counts_as_half_an_observation() -> None:
    found = population_stability_index([100, 0], [50, 50])
    assert found == pytest.approx((0.5 - 1) * math.log(0.5) + (0.5 - 0.005) * math.log(0.5 / 0.005))


def test_bin_that_is_empty_on_both_sides_changes_nothing() -> None:
    assert population_stability_index([60, 40, 0], [50, 50, 0]) == population_stability_index([60, 40], [50, 50])


@pytest.mark.parametrize(("before", "now"), [([], []), ([0, 0], [1, 2]), ([3, 4], [0, 0])])
def test_no_rows_move_nothing(before: list[int], now: list[int]) -> None:
    assert population_stability_index(before, now) == 0
    assert noise(before, now) == 0


def test_noise_is_the_quantile_that_the_paper_gives() -> None:
    assert noise([100] * 10, [20] * 10, level=0.05) == pytest.approx(chi2.ppf(0.95, 9) * (1 / 1000 + 1 / 200))


def test_equal_distributions_exceed_the_noise_as_rarely_as_it_says() -> None:
    """2,000 pairs of samples of one distribution, at a level that so many can tell from twice of it."""
    chance = np.random.default_rng(3)
    shares = np.full(10, 0.1)
    pairs = [(chance.multinomial(400, shares).tolist(), chance.multinomial(300, shares).tolist()) for _ in range(2000)]
    exceeded = np.mean([population_stability_index(old, new) > noise(old, new, level=0.05) for old, new in pairs])
    assert 0.03 < exceeded < 0.08


def numbers(counts: list[int], missing: int = 0) -> NumberCounts:
    edges = tuple(float(place) for place in range(len(counts) - 1))
    return NumberCounts(name="x", edges=edges, counts=tuple(counts), missing=missing)


def test_hundred_bins_become_ten_of_a_tenth_each() -> None:
    old, new = shared_bins(numbers([1] * 100), numbers([2] * 100, missing=7))
    assert old == [*[10] * 10, 0]
    assert new == [*[20] * 10, 7], "rows without a value have a bin of their own"


def test_one_value_that_most_rows_hold_stays_alone() -> None:
    old, _ = shared_bins(numbers([80, 5, 5, 5, 5]), numbers([1, 1, 1, 1, 1]))
    assert old == [80, 10, 10, 0]


def test_rest_joins_the_last_bin() -> None:
    old, new = shared_bins(numbers([50, 49, 1, 0]), numbers([1, 2, 3, 4]))
    assert (old, new) == ([50, 50, 0], [1, 9, 0])


def test_new_categories_have_a_bin_of_their_own() -> None:
    before = CategoryCounts(name="c", values=("a", "b", "c"), counts=(90, 9, 1), other=0, missing=2)
    now = CategoryCounts(name="c", values=("a", "b", "c"), counts=(80, 9, 1), other=5, missing=0)
    assert shared_bins(before, now) == ([90, 10, 0, 2], [80, 10, 5, 0])


@given(st.lists(st.integers(0, 500), min_size=1, max_size=120), st.data())
def test_no_row_is_lost_on_the_way_to_fewer_bins(before: list[int], data: st.DataObject) -> None:
    now = data.draw(st.lists(st.integers(0, 500), min_size=len(before), max_size=len(before)))
    old, new = shared_bins(numbers(before, missing=3), numbers(now, missing=4))
    assert (sum(old), sum(new)) == (sum(before) + 3, sum(now) + 4)
    assert len(old) == len(new) <= 12
