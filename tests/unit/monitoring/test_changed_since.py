from __future__ import annotations

import numpy as np
import pytest

from trilho.monitoring.drift.changed_since import changed_since


@pytest.mark.parametrize("place", [1, 3, 12, 20, 23])
def test_change_is_found_where_it_was_made(place: int) -> None:
    chance = np.random.default_rng(place)
    before, after = np.full(10, 0.1), np.array([0.3, 0.3, *[0.05] * 8])
    rows = [chance.multinomial(500, before if part < place else after) for part in range(24)]
    assert changed_since(np.array(rows)) == place


def test_slices_that_are_alike_have_no_border_more_often_than_rarely() -> None:
    chance = np.random.default_rng(0)
    found = [changed_since(chance.multinomial(40, np.full(12, 1 / 12), size=24)) for _ in range(400)]
    assert sum(place is not None for place in found) <= 12


def test_empty_slices_are_passed_over() -> None:
    rows = np.zeros((24, 2), dtype=np.int64)
    rows[2], rows[20] = (300, 0), (0, 300)
    assert changed_since(rows) in range(3, 21)


@pytest.mark.parametrize("rows", [np.zeros((24, 3)), np.array([[5, 5]]), np.zeros((0, 3))])
def test_nothing_to_compare_has_no_border(rows: np.ndarray) -> None:
    assert changed_since(rows) is None
