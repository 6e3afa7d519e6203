from __future__ import annotations

import doctest

import numpy as np
import pytest

from trilho.metrics import Outcome, calibration


def outcome(said: np.ndarray, truth: np.ndarray) -> Outcome:
    """Of shape (n,) for the second of two labels, or (n, k)."""
    chances = np.column_stack([1 - said, said]) if said.ndim == 1 else said
    labels = tuple(range(chances.shape[1]))
    return Outcome(
        truth=truth,
        predicted=chances.argmax(axis=1),
        probabilities=chances,
        labels=labels,
        positive=1 if len(labels) == 2 else None,
    )


def test_example_runs() -> None:
    assert doctest.testmod(calibration).failed == 0


@pytest.mark.parametrize(
    ("said", "came", "z"),
    [((0.2, 0.2), (1, 0), 1.06), ((0.4, 0.5), (1, 0), 1.22)],  # Rufibach (2010), J. Clin. Epidemiol. 63(8), table 1
)
def test_chance_of_the_deviation_is_that_of_a_published_example(
    said: tuple[float, ...], came: tuple[int, ...], z: float
) -> None:
    from scipy.stats import norm

    found = calibration.calibration(outcome(np.array(said), np.array(came)))
    assert found is not None
    assert norm.isf(found.p_value / 2) == pytest.approx(z, abs=0.01)


@pytest.mark.parametrize("labels", [2, 3, 5])
def test_right_probabilities_are_seldom_called_wrong(labels: int) -> None:
    dice = np.random.default_rng(labels)
    refused = 0
    for _ in range(200):
        chances = dice.dirichlet([0.5] * labels, 500)
        truth = (dice.random((500, 1)) > chances.cumsum(axis=1)[:, :-1]).sum(axis=1)
        found = calibration.calibration(outcome(chances, truth))
        assert found is not None
        refused += found.p_value < 0.01
    assert refused <= 8, "about 2 of 200 are due"


def test_probabilities_that_are_too_sure_are_found_out() -> None:
    dice = np.random.default_rng(0)
    real = dice.uniform(0.2, 0.8, 2000)
    sure = np.where(real > 0.5, 0.97, 0.03)
    found = calibration.calibration(outcome(sure, (dice.random(2000) < real).astype(int)))
    assert found is not None
    assert found.p_value < 1e-6
    assert found.error > 0.2


def test_error_is_not_what_chance_brings() -> None:
    errors = []
    for seed in range(50):
        dice = np.random.default_rng(seed)
        said = dice.uniform(0.3, 0.7, 500)  # where a share of 50 rows is 0.07 off as a rule
        found = calibration.calibration(outcome(said, (dice.random(500) < said).astype(int)))
        assert found is not None
        errors.append(found.error)
    assert np.mean(np.array(errors) > 0.05) < 0.15
    assert np.median(errors) < 0.02


def test_certainties_are_right_or_wrong() -> None:
    said = np.array([0.0, 1.0, 1.0])
    for truth, p_value in (([0, 1, 1], 1.0), ([1, 1, 1], 0.0)):
        found = calibration.calibration(outcome(said, np.array(truth)))
        assert found is not None
        assert found.p_value == p_value


def test_no_probabilities_are_no_calibration() -> None:
    bare = Outcome(truth=np.array([0, 1]), predicted=np.array([0, 1]), labels=(0, 1), positive=1)
    assert calibration.calibration(bare) is None
    assert calibration.calibration(outcome(np.array([np.nan, 0.5]), np.array([0, 1]))) is None
    assert calibration.calibration(outcome(np.zeros(0), np.zeros(0, dtype=int))) is None
