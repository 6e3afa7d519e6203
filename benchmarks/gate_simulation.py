"""How often the gate is wrong, where the truth is known, beside a bare comparison of two numbers.

    python benchmarks/gate_simulation.py --figure docs/guides/gates.svg

Part 1, retrainings: a logistic champion and its retraining (on more rows, on as many other rows, on fewer, on partly
wrong labels, with columns lost) are judged on test sets of 100, 500 and 2,000 rows.
Part 2, growth: a boosted-trees champion made from 2,000 rows, retrained when there are 3,000.

The true accuracy of every model is known from 20,000 further rows whose class probabilities are known. Judges:

    two numbers, two test sets    each model's accuracy on its own random test set; the higher one wins
    two numbers, new random split (growth) both on a new split, part of whose test rows the champion was trained on
    two numbers, same rows        on the same unseen rows; not lower wins
    gate …                        trilho.gates.judge, comparing by accuracy, roc_auc or the Brier score

Right and wrong are always meant in accuracy, whatever the judge compares by.

Prints two tables and one JSON line for each row of them.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the same sums in the same order everywhere

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression

from trilho.gates import Evidence, Paired, Rule, judge
from trilho.metrics import Outcome

MARGIN = 0.01
SIZES = (100, 500, 2000)
TRUTH_ROWS = 20_000
BARE_APART, BARE_SPLIT, BARE_SAME = (
    "two numbers, two test sets",
    "two numbers, new random split",
    "two numbers, same rows",
)
COLUMNS = 20

Chance = Callable[[np.ndarray], np.ndarray]  # rows (n, COLUMNS) → probability of class 1 (n,)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--retrainings", type=int, default=1000)
    arguments.add_argument("--growths", type=int, default=400)
    arguments.add_argument("--figure", type=Path, help="write the picture of part 1 here, as SVG")
    given = arguments.parse_args()
    part_1 = [retraining(seed) for seed in range(given.retrainings)]
    part_2 = [growth(seed) for seed in range(given.growths)]
    lines = [
        {"part": "retrainings", "rows": size, "judge": judged, **rates(part_1, (size, judged))}
        for size in SIZES
        for judged in part_1[0]["promoted"][size]
    ]
    lines += [
        {"part": "growth", "rows": 600, "judge": judged, **rates(part_2, (600, judged))}
        for judged in part_2[0]["promoted"][600]
    ]
    for part in ("retrainings", "growth"):
        print(table([line for line in lines if line["part"] == part]), end="\n\n")
    for line in lines:
        print(json.dumps(line))
    if given.figure:
        draw(part_1, given.figure)


def retraining(seed: int) -> dict[str, Any]:
    """One champion, one retraining, judged on test sets of each size."""
    rng = np.random.default_rng(seed)
    chance = linear_world(rng)
    X, y = sample(rng, chance, 800)
    champion = LogisticRegression(max_iter=500).fit(X, y)
    challenger = retrained(rng, chance, X, y, ("more", "other", "fewer", "mislabelled", "columns lost")[seed % 5])
    result: dict[str, Any] = {"gain": true_gain(rng, chance, challenger, champion), "promoted": {}}
    for size in SIZES:
        X, y = sample(rng, chance, size)
        apart = sample(rng, chance, size)
        result["promoted"][size] = {
            BARE_APART: challenger.score(X, y) >= champion.score(*apart),
            **dict(on_same_rows(challenger, champion, X, y)),
        }
    return result


def retrained(rng: np.random.Generator, chance: Chance, X: np.ndarray, y: np.ndarray, how: str) -> Any:
    more_X, more_y = sample(rng, chance, 800)
    if how == "more":
        X, y = np.vstack([X, more_X[:400]]), np.r_[y, more_y[:400]]
    elif how == "other":
        X, y = more_X, more_y
    elif how == "fewer":
        X, y = more_X[: rng.integers(150, 500)], more_y
        y = y[: len(X)]
    elif how == "mislabelled":
        y = np.where((y == 1) & (rng.uniform(size=len(y)) < rng.uniform(0.1, 0.4)), 0, y)
    else:
        X = X * (np.arange(COLUMNS) >= rng.integers(1, 4))
    return LogisticRegression(max_iter=500).fit(X, y)


def growth(seed: int) -> dict[str, Any]:
    """2,000 rows become 3,000. By hash a row in test stays there; by a new random split it may have been trained on."""
    rng = np.random.default_rng([seed, 2])
    chance = curved_world(rng)
    X, y = sample(rng, chance, 3000)
    in_test = rng.permutation(3000) < 600  # as a hash of the row would have it, for old and new rows alike
    old = np.arange(3000) < 2000
    champion, challenger = boosted(X[old & ~in_test], y[old & ~in_test]), boosted(X[~in_test], y[~in_test])
    new_test = rng.permutation(3000) < 600
    resplit = boosted(X[~new_test], y[~new_test])
    promoted = {
        BARE_APART: challenger.score(X[in_test], y[in_test]) >= champion.score(X[in_test & old], y[in_test & old]),
        BARE_SPLIT: resplit.score(X[new_test], y[new_test]) >= champion.score(X[new_test], y[new_test]),
        **dict(on_same_rows(challenger, champion, X[in_test], y[in_test])),
    }
    return {"gain": true_gain(rng, chance, challenger, champion), "promoted": {600: promoted}}


def boosted(X: np.ndarray, y: np.ndarray) -> Any:
    return HistGradientBoostingClassifier(max_iter=40, random_state=0).fit(X, y)


def on_same_rows(challenger: Any, champion: Any, X: np.ndarray, y: np.ndarray) -> Iterator[tuple[str, bool]]:
    """Who would promote the challenger, seeing these rows."""
    yield BARE_SAME, challenger.score(X, y) >= champion.score(X, y)
    paired = Paired(challenger=outcome(challenger, X, y), champion=outcome(champion, X, y))
    evidence = Evidence(metrics={}, schema={}, champion=1, paired=paired)
    for metric in ("accuracy", "roc_auc", "brier"):
        champion_gate = judge(evidence, Rule(policy="if_not_worse", metric=metric, thresholds={}, margin=MARGIN))[0]
        assert champion_gate.interval is not None
        yield f"gate if_not_worse, {metric}", champion_gate.passed
        # The policies, and other margins, differ only in what they ask of this bound.
        if metric == "brier":
            yield "gate if_not_worse, brier, margin 0.005", champion_gate.interval[0] >= -0.005
        yield f"gate if_better, {metric}", champion_gate.interval[0] > 0


def outcome(model: Any, X: np.ndarray, y: np.ndarray) -> Outcome:
    return Outcome(truth=y, predicted=model.predict(X), probabilities=model.predict_proba(X), labels=(0, 1), positive=1)


def linear_world(rng: np.random.Generator) -> Chance:
    slopes = rng.normal(size=COLUMNS) * np.r_[np.ones(COLUMNS // 2), np.full(COLUMNS // 2, 0.2)]
    return lambda X: 1 / (1 + np.exp(-X @ slopes))


def curved_world(rng: np.random.Generator) -> Chance:
    slopes = rng.normal(size=10)
    waves = rng.normal(size=10) / 2

    def chance(X: np.ndarray) -> np.ndarray:
        height = X[:, :10] @ slopes + 2.4 * np.sin(X[:, :10] @ waves) + 0.8 * X[:, 0] * X[:, 1]
        return 1 / (1 + np.exp(-1.3 * height))

    return chance


def sample(rng: np.random.Generator, chance: Chance, rows: int) -> tuple[np.ndarray, np.ndarray]:
    X = rng.normal(size=(rows, COLUMNS))
    return X, (rng.uniform(size=rows) < chance(X)).astype(int)


def true_gain(rng: np.random.Generator, chance: Chance, challenger: Any, champion: Any) -> float:
    """By how much the challenger's accuracy is higher, from known probabilities: no label noise, off by about 0.001."""
    X = rng.normal(size=(TRUTH_ROWS, COLUMNS))
    for_one = 2 * chance(X) - 1
    return float(np.mean((challenger.predict(X) - champion.predict(X)) * for_one))


def rates(results: list[dict[str, Any]], judged: tuple[int, str]) -> dict[str, Any]:
    """Wrong: promoted though truly worse by more than the margin. Missed: refused though truly better or equal."""
    size, name = judged
    gain = np.array([result["gain"] for result in results])
    promoted = np.array([result["promoted"][size][name] for result in results])
    worse, fit, clear = gain < -MARGIN, gain >= 0, gain >= MARGIN
    return {
        "truly_worse": int(worse.sum()),
        "wrong": share(promoted[worse]),
        "truly_fit": int(fit.sum()),
        "missed": share(~promoted[fit]),
        "truly_better_by_margin": int(clear.sum()),
        "missed_clear": share(~promoted[clear]),
    }


def share(cases: np.ndarray) -> float | None:
    return round(float(cases.mean()), 4) if len(cases) else None


def table(lines: list[dict[str, Any]]) -> str:
    first = lines[0]
    head = (
        f"| {first['part']}: test rows | judge | worse by > {MARGIN}, promoted ({first['truly_worse']}) "
        f"| better or equal, refused ({first['truly_fit']}) "
        f"| better by ≥ {MARGIN}, refused ({first['truly_better_by_margin']}) |"
    )
    body = [
        f"| {line['rows']:,} | {line['judge']} | {percent(line['wrong'])} | {percent(line['missed'])} "
        f"| {percent(line['missed_clear'])} |"
        for line in lines
    ]
    return "\n".join([head, "| ---: | --- | ---: | ---: | ---: |", *body])


def percent(value: float | None) -> str:
    return "none" if value is None else f"{100 * value:.1f} %"


def draw(results: list[dict[str, Any]], path: Path) -> None:
    """Share promoted by true gain, at 500 rows."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "gates", "font.family": "sans-serif"})
    from matplotlib import pyplot as plt

    gain = np.array([result["gain"] for result in results])
    edges = np.quantile(gain, np.linspace(0, 1, 13))
    figure, axes = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for name in (BARE_APART, BARE_SAME, "gate if_not_worse, accuracy", "gate if_not_worse, brier"):
        promoted = np.array([result["promoted"][500][name] for result in results])
        bins = [(gain >= low) & (gain <= high) for low, high in itertools.pairwise(edges)]
        axes.plot([gain[b].mean() for b in bins], [promoted[b].mean() for b in bins], marker=".", label=name)
    axes.axvline(-MARGIN, color="grey", linewidth=0.8, linestyle=":")
    axes.axvline(0, color="grey", linewidth=0.8)
    axes.set(
        xlim=(-0.04, gain.max() + 0.001),
        xlabel="true gain in accuracy (dotted: the margin)",
        ylabel="share promoted, 500 test rows",
        ylim=(-0.02, 1.02),
    )
    axes.legend(frameon=False, fontsize="small")
    figure.savefig(path, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
