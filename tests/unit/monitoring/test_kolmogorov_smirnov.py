from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from trilho.monitoring.drift.kolmogorov_smirnov import kolmogorov_smirnov
from unit.monitoring.counted import numbers, pair, two_counts


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("shift", [0.0, 0.1, 1.0, 10.0])
def test_against_scipy_it_is_never_surer_and_off_by_no_more_than_it_says(seed: int, shift: float) -> None:
    chance = np.random.default_rng(seed)
    old, new = chance.normal(size=500), chance.normal(shift, size=300)
    found, truth = kolmogorov_smirnov(*numbers(old, new)), ks_2samp(old, new, method="asymp")
    assert found.statistic <= truth.statistic + 1e-12
    assert truth.statistic <= found.statistic + found.error + 1e-12
    assert found.p_value >= truth.pvalue - 1e-12
    assert found.error < 0.1


@pytest.mark.parametrize("seed", range(10))
def test_where_every_value_is_an_edge_it_is_the_test_of_scipy(seed: int) -> None:
    chance = np.random.default_rng(seed)
    old, new = chance.integers(0, 8, 400).astype(float), chance.integers(0, 9, 350).astype(float)
    found, truth = kolmogorov_smirnov(*numbers(old, new)), ks_2samp(old, new, method="asymp")
    assert found.statistic == pytest.approx(truth.statistic)
    assert found.p_value == pytest.approx(truth.pvalue)


@given(two_counts())
def test_bounds_hold_and_sides_may_be_exchanged(counts: tuple[list[int], list[int]]) -> None:
    found, other = kolmogorov_smirnov(*pair(*counts)), kolmogorov_smirnov(*pair(*counts[::-1]))
    assert 0 <= found.statistic <= 1
    assert 0 <= found.p_value <= 1
    assert 0 <= found.statistic + found.error <= 1 + 1e-9
    assert (found.statistic, found.p_value) == pytest.approx((other.statistic, other.p_value))


@given(st.lists(st.integers(1, 1000), min_size=2, max_size=30), st.integers(1, 20))
def test_equal_shares_have_no_distance(old: list[int], times: int) -> None:
    found = kolmogorov_smirnov(*pair(old, [count * times for count in old]))
    assert found.statistic == pytest.approx(0, abs=1e-12)
    assert found.p_value == pytest.approx(1)


@pytest.mark.parametrize(("old", "new"), [([0, 0], [3, 4]), ([3, 4], [0, 0]), ([5], [7])])
def test_nothing_to_compare_gives_no_evidence(old: list[int], new: list[int]) -> None:
    assert kolmogorov_smirnov(*pair(old, new)) == (0.0, 1.0, 0.0)


def test_constant_that_became_another_constant_is_found_whatever_its_distance() -> None:
    before, above, below = numbers(np.full(500, 3.0), np.full(500, 3.0 + 1e-9), np.full(500, -1e9))
    assert kolmogorov_smirnov(before, above).statistic == 1
    assert kolmogorov_smirnov(before, below).statistic == 1


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 2**32 - 1), st.sampled_from(["normal", "exponential", "poisson"]))
def test_p_value_of_any_two_samples_is_at_least_that_of_all_values(seed: int, kind: str) -> None:
    chance = np.random.default_rng(seed)
    draw = {"normal": chance.normal, "exponential": chance.exponential, "poisson": lambda size: chance.poisson(9, size)}
    old, new = draw[kind](size=int(chance.integers(2, 900))), draw[kind](size=int(chance.integers(2, 900)))
    assert kolmogorov_smirnov(*numbers(old, new)).p_value >= ks_2samp(old, new, method="asymp").pvalue - 1e-12


def test_alarms_of_equal_distributions_are_as_rare_as_the_level_over_training_draws() -> None:
    chance = np.random.default_rng(5)
    p_values = [
        kolmogorov_smirnov(*numbers(chance.normal(size=600), chance.normal(size=400))).p_value for _ in range(600)
    ]
    assert np.mean(np.array(p_values) <= 0.05) <= 0.07
    assert np.mean(np.array(p_values) <= 0.05) >= 0.015, "conservative, but not blind"
