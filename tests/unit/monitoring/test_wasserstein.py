from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from trilho.monitoring.drift.wasserstein import wasserstein
from unit.monitoring.counted import numbers, pair, two_counts


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("shift", [0.0, 0.3, -1.0])
def test_against_scipy_the_stated_error_holds(seed: int, shift: float) -> None:
    chance = np.random.default_rng(seed)
    old, new = chance.normal(size=2000), chance.normal(shift, 1.2, size=1500)
    inside = np.clip(new, old.min(), old.max())
    found = wasserstein(*numbers(old, new))
    truth = wasserstein_distance(old, inside) / old.std()
    assert found.distance == pytest.approx(truth, abs=found.error + 0.02 * truth)
    assert found.error < 0.2


def test_distance_is_the_mean_way_of_the_values() -> None:
    old = np.random.default_rng(1).uniform(0, 1, 5000)
    new = 0.1 + 0.8 * old
    found = wasserstein(*numbers(old, new))
    assert found.distance == pytest.approx(np.abs(new - old).mean() / old.std(), rel=0.05)


def test_unit_of_the_column_does_not_matter() -> None:
    chance = np.random.default_rng(2)
    old, new = chance.exponential(size=900), chance.exponential(1.5, size=700)
    assert wasserstein(*numbers(old, new)) == pytest.approx(wasserstein(*numbers(old * 1000, new * 1000)))


def test_absurd_values_move_it_no_further_than_the_end_of_the_training_range() -> None:
    old = np.random.default_rng(3).normal(size=1000)
    found = wasserstein(*numbers(old, np.concatenate([old[:990], np.full(10, 1e300)])))
    assert found.distance < 0.1


@given(two_counts(3))
def test_bounds_hold_and_equal_counts_have_no_distance(counts: tuple[list[int], list[int]]) -> None:
    found = wasserstein(*pair(*counts))
    assert found.distance >= 0
    assert found.error >= 0
    assert np.isfinite(found).all()
    assert wasserstein(*pair(counts[0], counts[0])).distance == pytest.approx(0, abs=1e-9)


@given(st.lists(st.integers(0, 500), min_size=3, max_size=3).filter(sum))
def test_no_column_moves_further_than_its_range(new: list[int]) -> None:
    """Edges 0 and 1: a training row at each end, and s is half the range."""
    before, now = numbers([0.0, 1.0], [0.0] * new[0] + [0.5] * new[1] + [1.0] * new[2])
    assert wasserstein(before, now).distance <= 1 / 0.5 + 1e-9


@pytest.mark.parametrize("old", [np.full(300, 7.0), np.full(300, np.nan)])
def test_constant_or_empty_training_column_has_no_unit_and_so_no_distance(old: np.ndarray) -> None:
    assert wasserstein(*numbers(old, np.arange(50.0))) == (0.0, 0.0)
