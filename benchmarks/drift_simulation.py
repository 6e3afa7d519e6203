"""How often monitoring cries wolf, and how soon it sees one: simulated deployments whose truth is known.

    python benchmarks/drift_simulation.py --figure docs/guides/drift.svg

Each deployment draws 2,000 training rows of 8 columns (five normal, one lognormal, one of counts, one of categories)
and makes a profile of them; then come windows of 200, 1,000 and 5,000 rows.

Part 1, nothing has changed: windows of the same distributions. Counted are windows in which a column is said to have
moved, and windows that are called drift; beside it, what the tests alone (at 0.05, none adjusted) and the effects alone
would have said. The windows of one deployment share their training rows, and so its alarms come together: what is
claimed is the rate over training draws, and beside it stands in how many deployments there was an alarm at all.

Part 2, one normal column is shifted by a stated part of its standard deviation, all others are as before: how many
windows until that column is named, at most 20.

Prints two tables and one JSON line for each row of them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np

from trilho import bundle
from trilho.bundle import DriftProfile, Field, Schema
from trilho.monitoring.judging import judge
from trilho.monitoring.report import ColumnReport
from trilho.project.file import DriftRule

SIZES = (200, 1000, 5000)
SHIFTS = (0.1, 0.15, 0.2, 0.3, 0.5)
TRAINING, WINDOWS, MOST = 2000, 5, 20
RULE = DriftRule()
NUMBERS = (*(f"normal {place}" for place in range(5)), "lognormal", "counts")
KINDS = dict.fromkeys(NUMBERS, "number") | {"category": "category"}
SCHEMA = Schema(
    task="regression",
    target="y",
    fields=tuple(Field(name=name, kind=kind, nullable=True) for name, kind in KINDS.items()),
)
WORDS = np.array([f"word {place}" for place in range(30)], dtype=object)
SHARES = 1 / np.arange(1, 31)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--deployments", type=int, default=1000)
    arguments.add_argument("--shifted", type=int, default=300, help="deployments of part 2")
    arguments.add_argument("--figure", type=Path, help="write the picture here, as SVG")
    given = arguments.parse_args()
    clean = [line for size in SIZES for line in false_alarms(size, given.deployments)]
    found = [detection(size, shift, given.shifted) for size in SIZES for shift in SHIFTS]
    print(clean_table(clean), end="\n\n")
    print(found_table(found), end="\n\n")
    for line in [*clean, *found]:
        print(json.dumps(line))
    if given.figure:
        draw(clean, found, given.figure)


def false_alarms(size: int, deployments: int) -> list[dict[str, Any]]:
    said: dict[str, list[list[bool]]] = {"trilho": [], "drift": [], "tests alone": [], "effects alone": []}
    for seed in range(deployments):
        dice = np.random.default_rng([seed, size])
        profile = trained(dice)
        windows = [look(profile, rows(dice, size)) for _ in range(WINDOWS)]
        checks = [[check for report in window for check in report.checks] for window in windows]
        moved = [sum(report.moved for report in window) for window in windows]
        said["trilho"].append([count > 0 for count in moved])
        said["drift"].append([count >= RULE.share * len(KINDS) for count in moved])
        said["tests alone"].append([any(check.p_value <= 0.05 for check in window) for window in checks])
        said["effects alone"].append([any(e.over for check in window for e in check.effects) for window in checks])
    return [
        {
            "part": "clean",
            "rows": size,
            "judge": judged,
            "alarms_per_100_windows": round(100 * float(np.mean(alarms)), 2),
            "deployments_with_alarm": round(float(np.mean(np.any(alarms, axis=1))), 4),
            "windows": int(np.size(alarms)),
        }
        for judged, alarms in said.items()
    ]


def detection(size: int, shift: float, deployments: int) -> dict[str, Any]:
    taken = []
    for seed in range(deployments):
        dice = np.random.default_rng([seed, size, round(shift * 100)])
        profile = trained(dice)
        for window in range(1, MOST + 1):
            reports = look(profile, rows(dice, size, shift))
            if next(report for report in reports if report.name == "normal 0").moved:
                taken.append(window)
                break
        else:
            taken.append(MOST + 1)
    within = np.array(taken)
    return {
        "part": "shifted",
        "rows": size,
        "shift": shift,
        "median_windows": float(np.median(within)) if np.median(within) <= MOST else None,
        "in_the_first": round(float(np.mean(within == 1)), 4),
        "never_within_20": round(float(np.mean(within > MOST)), 4),
        "deployments": deployments,
    }


def rows(dice: np.random.Generator, size: int, shift: float = 0.0) -> dict[str, np.ndarray]:
    found = {name: dice.normal(size=size) for name in NUMBERS[:5]}
    found["normal 0"] += shift
    found |= {"lognormal": dice.lognormal(size=size), "counts": dice.poisson(4, size).astype(float)}
    found["category"] = dice.choice(WORDS, size, p=SHARES / SHARES.sum())
    return found


def trained(dice: np.random.Generator) -> DriftProfile:
    return bundle.profile(rows(dice, TRAINING), SCHEMA)


def look(profile: DriftProfile, window: dict[str, np.ndarray]) -> tuple[ColumnReport, ...]:
    return judge(profile.columns, bundle.count(profile, window, SCHEMA).columns, RULE)


def clean_table(lines: list[dict[str, Any]]) -> str:
    names = {
        "trilho": "a column is said to have moved",
        "drift": "drift is found",
        "tests alone": "a test alone, p ≤ 0.05",
        "effects alone": "an effect alone is over its threshold",
    }
    head = "| nothing has changed | " + " | ".join(f"{size:,} rows" for size in SIZES) + " |"
    body = []
    for judged, name in names.items():
        mine = [line for line in lines if line["judge"] == judged]
        cells = [f"{line['alarms_per_100_windows']:.1f} ({line['deployments_with_alarm']:.1%})" for line in mine]
        body.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join([head, "| --- |" + " ---: |" * len(SIZES), *body])


def found_table(lines: list[dict[str, Any]]) -> str:
    head = "| shift, standard deviations | " + " | ".join(f"{size:,} rows" for size in SIZES) + " |"
    body = []
    for shift in SHIFTS:
        cells = []
        for line in (line for line in lines if line["shift"] == shift):
            median = "> 20" if line["median_windows"] is None else f"{line['median_windows']:g}"
            cells.append(f"{median} ({line['in_the_first']:.0%} in the first)")
        body.append(f"| {shift:g} | " + " | ".join(cells) + " |")
    return "\n".join([head, "| ---: |" + " ---: |" * len(SIZES), *body])


def draw(clean: list[dict[str, Any]], found: list[dict[str, Any]], path: Path) -> None:
    """False alarms by the rows of a window, and the share of shifts that the first window shows."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "drift", "font.family": "sans-serif"})
    from matplotlib import pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    names = {"tests alone": "a test, p ≤ 0.05", "effects alone": "an effect", "trilho": "both (trilho)"}
    for judged, name in names.items():
        mine = [line for line in clean if line["judge"] == judged]
        left.plot(SIZES, [line["alarms_per_100_windows"] for line in mine], marker="o", label=name)
    left.set(xscale="log", xlabel="rows in a window", ylabel="clean windows with an alarm, %", ylim=(-2, 102))
    left.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
    left.minorticks_off()
    left.legend(frameon=False, fontsize="small", title="A column is named by")
    for size in SIZES:
        mine = [line for line in found if line["rows"] == size]
        right.plot(SHIFTS, [100 * line["in_the_first"] for line in mine], marker="o", label=f"{size:,} rows")
    right.axvline(RULE.wasserstein, color="grey", linewidth=0.8, linestyle=":")
    right.set(
        xlabel="shift, standard deviations (dotted: the threshold)",
        ylabel="named by the first window, %",
        ylim=(-2, 102),
    )
    right.legend(frameon=False, fontsize="small")
    figure.savefig(path, format="svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
