from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trilho.gates.bootstrap import Estimate, Statistic, estimate


def mean_of(values: np.ndarray) -> Statistic:
    return lambda weights: weights @ values / weights.sum(axis=1)


def test_standard_error_of_a_mean_is_the_textbook_one() -> None:
    values = np.random.default_rng(1).normal(size=200)
    found = estimate(mean_of(values), rows=200, resamples=20_000)
    assert found.value == pytest.approx(values.mean())
    assert found.standard_error == pytest.approx(values.std(ddof=1) / math.sqrt(200), rel=0.02)


def test_published_standard_error_of_the_mouse_data_is_reached() -> None:
    """Efron & Tibshirani (1993), table 2.1: treated mice 86.86 ± 25.24 days, by the textbook formula."""
    treated = np.array([94.0, 197, 16, 38, 99, 141, 23])
    found = estimate(mean_of(treated), rows=7, resamples=50_000)
    assert found.value == pytest.approx(86.86, abs=0.005)
    assert found.standard_error == pytest.approx(25.24, rel=0.02)


def test_bounds_are_those_of_the_t_test() -> None:
    values = np.random.default_rng(2).normal(3, 1, size=40)
    found = estimate(mean_of(values), rows=40, confidence=0.9, resamples=50_000)
    t = stats.t(39, loc=values.mean(), scale=values.std(ddof=1) / math.sqrt(40))
    assert found.lower == pytest.approx(t.ppf(0.1), abs=0.005)
    assert found.upper == pytest.approx(t.ppf(0.9), abs=0.005)


def test_smallest_difference_that_shows_is_found_in_four_of_five_samples() -> None:
    """Bloom's definition, tried: a truth that far above zero gives a lower bound above zero in 80 % of samples."""
    rng = np.random.default_rng(3)
    first = estimate(mean_of(rng.normal(size=100)), rows=100)
    assert first.detectable is not None
    multiple = NormalDist().inv_cdf(0.95) + NormalDist().inv_cdf(0.8)
    assert first.detectable / first.standard_error == pytest.approx(multiple, rel=0.02)
    samples = rng.normal(first.detectable, 10 * first.standard_error, size=(400, 100))
    shown = [estimate(mean_of(sample), rows=100, resamples=300).lower > 0 for sample in samples]
    assert 0.72 < np.mean(shown) < 0.88


def test_strata_keep_their_size_in_every_resample() -> None:
    strata = np.array([0] * 90 + [1] * 10)
    share = estimate(mean_of(strata.astype(float)), rows=100, strata=strata)
    assert share.value == pytest.approx(0.1)
    assert share.standard_error == pytest.approx(0, abs=1e-12)


def test_stratum_of_one_row_stays_in() -> None:
    found = estimate(mean_of(np.arange(5.0)), rows=5, strata=np.array(["a", "a", "b", "a", "a"]))
    assert math.isfinite(found.standard_error)


def test_rows_of_one_group_do_not_count_as_independent() -> None:
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(20), 30)
    values = rng.normal(size=20)[groups]
    alone = estimate(mean_of(values), rows=600)
    grouped = estimate(mean_of(values), rows=600, groups=groups, resamples=20_000)
    by_group = values[::30]
    assert grouped.standard_error == pytest.approx(by_group.std(ddof=1) / math.sqrt(20), rel=0.03)
    assert grouped.standard_error > 4 * alone.standard_error


def test_same_seed_gives_the_same_bounds_and_another_seed_others() -> None:
    values = np.random.default_rng(5).normal(size=5000)

    def bounds(seed: int) -> Estimate:
        return estimate(mean_of(values), rows=5000, random_state=seed)

    assert bounds(1) == bounds(1)
    assert bounds(1).lower != bounds(2).lower


def test_resamples_without_a_value_are_counted_and_left_out() -> None:
    values = np.r_[1.0, np.zeros(19)]

    def only_with_the_first_row(weights: np.ndarray) -> np.ndarray:
        return np.where(weights[:, 0] > 0, weights @ values, np.nan)

    found = estimate(only_with_the_first_row, rows=20)
    assert found.undefined == pytest.approx(1000 * (1 - 1 / 20) ** 19, rel=0.15)
    assert math.isfinite(found.standard_error)


def test_statistic_without_any_value_has_no_bounds() -> None:
    found = estimate(lambda weights: np.full(len(weights), np.nan), rows=10)
    assert math.isnan(found.value)
    assert math.isnan(found.lower)
    assert found.undefined == found.resamples


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), rows=st.integers(2, 50), scale=st.floats(0.01, 100), shift=st.floats(-10, 10))
def test_bounds_move_and_stretch_with_the_values(seed: int, rows: int, scale: float, shift: float) -> None:
    values = np.random.default_rng(seed).normal(size=rows)
    plain = estimate(mean_of(values), rows=rows, resamples=100)
    moved = estimate(mean_of(scale * values + shift), rows=rows, resamples=100)
    mirrored = estimate(mean_of(-values), rows=rows, resamples=100)
    assert moved.lower == pytest.approx(scale * plain.lower + shift, rel=1e-6, abs=1e-6)
    assert (mirrored.lower, mirrored.upper) == pytest.approx((-plain.upper, -plain.lower))
    assert plain.lower <= plain.value <= plain.upper
