"""Which bound the gate should use: models that are worse by exactly the margin must pass in at most 5 of 100 test sets.

    python benchmarks/gate_intervals.py

Challenger and champion are drawn from populations whose true difference is known; the margin is set to just that
difference, the hardest case for if_not_worse at 95 % confidence. The bounds tried:

    percentile  5 % quantile of 1,000 class-stratified resamples
    BCa         the same, bias-corrected and accelerated (Efron & Tibshirani 1993, chapter 14)
    normal      the difference minus Student's t times the resamples' standard deviation
    gate        trilho.gates.bootstrap.estimate: the same with k - 1 draws from k rows

Prints a table (share of test sets on which the bound lets the worse model pass) and one JSON line for each row.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Callable
from statistics import NormalDist

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from scipy.special import stdtrit

from trilho.gates.bootstrap import estimate
from trilho.metrics import METRICS, Outcome

RESAMPLES, CONFIDENCE = 1000, 0.95
NORMAL = NormalDist()
METHODS = ("percentile", "BCa", "normal", "gate")

Pair = tuple[Outcome, Outcome, np.ndarray | None]  # challenger, champion, groups
Population = Callable[[np.random.Generator, int], Pair]


def flips(*, positive: float, lost: float, won: float) -> Population:
    """Labels only: the champion has 90 % right; the challenger loses some rows of these and wins some others."""

    def draw(rng: np.random.Generator, rows: int) -> Pair:
        truth = (rng.uniform(size=rows) < positive).astype(int)
        place = rng.uniform(size=rows)
        old = place < 0.9
        new = (old & (place >= lost)) | (place > 1 - won)
        both = (
            Outcome(truth=truth, predicted=np.where(r, truth, 1 - truth), labels=(0, 1), positive=1) for r in (new, old)
        )
        return (*both, None)  # type: ignore[return-value]

    return draw


def scores(*, positive: float, grouped: bool = False) -> Population:
    """Probabilities from one signal with a little noise of each model's own; the challenger's noise is larger."""

    def draw(rng: np.random.Generator, rows: int) -> Pair:
        groups = np.repeat(np.arange(rows), 1 + rng.poisson(9, rows)) if grouped else np.arange(rows)
        truth = (rng.uniform(size=len(groups)) < positive).astype(int)
        signal = 2.5 * truth + rng.normal(size=len(groups))
        new, old = (signal + size * rng.normal(size=rows)[groups] for size in (0.4, 0.3))
        return probable(truth, new, positive), probable(truth, old, positive), groups if grouped else None

    return draw


def probable(truth: np.ndarray, height: np.ndarray, positive: float) -> Outcome:
    chance = 1 / (1 + np.exp(-1.5 * height + 1.9 - np.log(positive / (1 - positive))))
    both = np.column_stack([1 - chance, chance])
    return Outcome(truth=truth, predicted=(chance > 0.5).astype(int), probabilities=both, labels=(0, 1), positive=1)


def numbers(rng: np.random.Generator, rows: int) -> Pair:
    """Regression with heavy tails; the challenger's error is 2 % larger."""
    truth, shared = 3 * rng.normal(size=rows), rng.standard_t(5, rows)
    new, old = (truth + size * shared + 0.3 * rng.standard_t(5, rows) for size in (1.02, 1.0))
    return Outcome(truth=truth, predicted=new), Outcome(truth=truth, predicted=old), None


CASES: tuple[tuple[str, Population, str, tuple[int, ...]], ...] = (
    ("1.5 % of labels differ", flips(positive=0.5, lost=0.0125, won=0.0025), "accuracy", (50, 100, 200, 500)),
    ("6 % of labels differ", flips(positive=0.5, lost=0.035, won=0.025), "accuracy", (50, 100, 200, 500)),
    ("30 % positive", flips(positive=0.3, lost=0.035, won=0.025), "f1", (50, 100, 200, 500)),
    ("30 % positive", flips(positive=0.3, lost=0.035, won=0.025), "recall", (50, 100, 200, 500)),
    ("10 % positive", scores(positive=0.1), "roc_auc", (50, 100, 200, 500)),
    ("50 % positive", scores(positive=0.5), "brier", (50, 100, 200, 500)),
    ("heavy tails", numbers, "rmse", (50, 100, 200, 500)),
    ("groups of ten rows", scores(positive=0.5, grouped=True), "roc_auc", (5, 10, 20, 40)),
)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--trials", type=int, default=1000)
    trials = arguments.parse_args().trials
    lines = [calibrated(*case[:3], rows, trials) for case in CASES for rows in case[3]]
    print(f"| population | metric | rows or groups | {' | '.join(METHODS)} | of these without any difference |")
    print("| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for line in lines:
        shares = " | ".join(f"{100 * line[name]:.1f} %" for name in (*METHODS, "same"))  # type: ignore[operator]
        print(f"| {line['population']} | {line['metric']} | {line['rows']} | {shares} |")
    for line in lines:
        print(json.dumps(line))


def calibrated(name: str, population: Population, metric: str, rows: int, trials: int) -> dict[str, object]:
    new, old, _ = population(np.random.default_rng(0), 1_000_000 if "groups" not in name else 100_000)
    truth = sign(metric) * float(METRICS[metric].score(new) - METRICS[metric].score(old))
    rng = np.random.default_rng(1)
    found = [one(population(rng, rows), metric, truth, seed) for seed in range(trials)]
    passed = np.array([case for case in found if case is not None])
    shares = dict(zip((*METHODS, "same"), passed.mean(axis=0).round(4).tolist(), strict=True))
    return {"population": name, "metric": metric, "rows": rows, "true_difference": round(truth, 4), **shares}


def one(pair: Pair, metric: str, truth: float, seed: int) -> tuple[bool, ...] | None:
    """Does each bound let the challenger pass, with the margin at the truth? None where the class mix is degenerate."""
    new, old, groups = pair
    if new.labels and len(np.unique(new.truth)) < 2:
        return None
    score_new, score_old = METRICS[metric].scorer(new), METRICS[metric].scorer(old)

    def gain(weights: np.ndarray) -> np.ndarray:
        return sign(metric) * (score_new(weights) - score_old(weights))

    strata = new.truth if new.labels else None
    ours = estimate(gain, rows=new.rows, strata=strata, groups=groups, confidence=CONFIDENCE, random_state=seed)
    bounds = (*usual(gain, new.rows, strata, groups, seed), ours.lower)
    same = ours.standard_error == 0
    return (*(bool(bound >= truth - 1e-9) for bound in bounds), same)


def usual(
    gain: Callable[[np.ndarray], np.ndarray], rows: int, strata: np.ndarray | None, groups: np.ndarray | None, seed: int
) -> tuple[float, float, float]:
    """Percentile, BCa and normal bounds from k draws of k."""
    rng = np.random.default_rng(seed)
    unit = np.arange(rows) if groups is None else groups
    units = int(unit.max()) + 1
    classes = np.zeros(units) if groups is not None or strata is None else strata
    weights = np.zeros((RESAMPLES, units))
    for label in np.unique(classes):
        members = np.flatnonzero(classes == label)
        weights[:, members] = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), RESAMPLES)
    drawn = gain(weights[:, unit])
    drawn = np.sort(drawn[np.isfinite(drawn)])
    value = float(gain(np.ones((1, rows)))[0])
    without = gain((1 - np.eye(units))[:, unit])
    pull = np.nanmean(without) - without
    cubed, squared = np.nansum(pull**3), np.nansum(pull**2)
    skew = cubed / (6 * squared**1.5) if squared > 0 else 0.0
    below = float(np.mean(drawn < value - 1e-12) + np.mean(np.abs(drawn - value) <= 1e-12) / 2)
    bias = NORMAL.inv_cdf(min(max(below, 0.001), 0.999))
    z = bias + NORMAL.inv_cdf(1 - CONFIDENCE)
    level = NORMAL.cdf(bias + z / (1 - skew * z))
    freedom = units - len(np.unique(classes))
    normal = value - float(stdtrit(freedom, CONFIDENCE)) * float(drawn.std(ddof=1))
    return float(np.quantile(drawn, 1 - CONFIDENCE)), float(np.quantile(drawn, level)), normal


def sign(metric: str) -> int:
    return 1 if METRICS[metric].greater_is_better else -1


if __name__ == "__main__":
    main()
