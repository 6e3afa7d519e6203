from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, fisher_exact

from trilho.monitoring.drift.chi_squared import LEAST, chi_squared, pooled
from trilho.monitoring.drift.jensen_shannon import jensen_shannon
from unit.monitoring.counted import categories, two_counts

LARGE = st.lists(st.integers(100, 1000), min_size=3, max_size=12)


@given(LARGE, st.data())
def test_homogeneity_is_tested_as_by_scipy(old: list[int], data: st.DataObject) -> None:
    new = data.draw(st.lists(st.integers(100, 1000), min_size=len(old), max_size=len(old)))
    found, truth = chi_squared(*categories(old, new)), chi2_contingency([old, new], correction=False)
    assert (found.statistic, found.freedom) == pytest.approx((truth.statistic, truth.dof))
    assert found.p_value == pytest.approx(truth.pvalue, abs=1e-12)


@given(*[st.integers(0, 400)] * 4)
def test_two_categories_are_tested_exactly(one: int, other: int, new: int, more: int) -> None:
    found = chi_squared(*categories([one, other], [new, more]))
    if one + new and other + more and one + other and new + more:
        assert found.p_value == pytest.approx(fisher_exact([[one, other], [new, more]]).pvalue, abs=1e-9)
    else:
        assert found.p_value == 1


@given(two_counts(), st.integers(0, 60), st.integers(0, 60))
def test_no_row_is_lost_by_pooling_and_every_cell_is_large_enough(
    counts: tuple[list[int], list[int]], old_rest: int, new_rest: int
) -> None:
    old, new = pooled(*categories(*counts, others=(old_rest, new_rest)))
    assert (sum(old), sum(new)) == (sum(counts[0]) + old_rest, sum(counts[1]) + new_rest)
    total = sum(old) + sum(new)
    for before, now in zip(old, new, strict=True):
        expected = (before + now) * min(sum(old), sum(new)) / max(total, 1)
        assert expected >= LEAST - 1e-9 or len(old) <= 2


@given(two_counts(), st.randoms(use_true_random=False))
def test_order_and_names_of_categories_do_not_matter(counts: tuple[list[int], list[int]], chance: object) -> None:
    places = list(range(len(counts[0])))
    chance.shuffle(places)  # type: ignore[attr-defined]
    mixed = [[side[place] for place in places] for side in counts]
    assert chi_squared(*categories(*mixed)).p_value == pytest.approx(
        chi_squared(*categories(*counts)).p_value, abs=1e-9
    )


@pytest.mark.parametrize(("old", "new"), [([], []), ([5], [9]), ([0, 0], [4, 4]), ([4, 4], [0, 0])])
def test_nothing_to_compare_gives_no_evidence(old: list[int], new: list[int]) -> None:
    assert chi_squared(*categories(old, new)) == (0.0, 0, 1.0)


def test_new_category_alone_is_enough() -> None:
    assert chi_squared(*categories([500, 500], [450, 450], others=(0, 100))).p_value < 1e-10


def test_alarms_of_many_rare_categories_stay_below_the_level() -> None:
    chance = np.random.default_rng(7)
    shares = 1 / np.arange(1, 301)
    shares /= shares.sum()
    draws = [(chance.multinomial(800, shares).tolist(), chance.multinomial(300, shares).tolist()) for _ in range(1500)]
    p_values = np.array([chi_squared(*categories(old, new)).p_value for old, new in draws])
    assert np.mean(p_values <= 0.05) <= 0.065
    assert np.mean(p_values <= 0.05) >= 0.025


@given(two_counts())
def test_distance_is_that_of_scipy_in_bits(counts: tuple[list[int], list[int]]) -> None:
    old, new = counts
    found = jensen_shannon(old, new)
    assert 0 <= found <= 1
    assert jensen_shannon(new, old) == pytest.approx(found, abs=1e-7)
    if sum(old) and sum(new):
        p, q = np.array(old) / sum(old), np.array(new) / sum(new)
        assert found**2 == pytest.approx(np.nan_to_num(jensenshannon(p, q, base=2)) ** 2, abs=1e-9)
    else:
        assert found == 0


@given(two_counts(), st.lists(st.integers(0, 5000), min_size=40, max_size=40))
def test_distance_is_a_metric(counts: tuple[list[int], list[int]], third: list[int]) -> None:
    one, other = ([count + 1 for count in side] for side in counts)
    via = [count + 1 for count in third[: len(one)]]
    assert jensen_shannon(one, other) <= jensen_shannon(one, via) + jensen_shannon(via, other) + 1e-9
