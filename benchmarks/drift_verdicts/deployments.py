"""Simulated deployments whose truth is known, and what a judge says of them. NumPy alone: it runs in every environment.

A deployment draws 10,000 training rows of 8 columns: five normal, one lognormal, one of counts, one of 30 categories.
Then come windows of 50, 200, 1,000 or 10,000 rows.

Nothing has changed: five windows of the same distributions. Counted are windows in which a column is named.

One normal column is shifted by a part of its standard deviation, all others are as before: how many windows until that
column is named, at most 20. A shift of 0 is among them: a judge that names the column anyway detects nothing.

Rows depend on nothing but the numbers of deployment, size, shift and window, so every judge is shown the same ones; a
checksum goes with the results, so that this is known.
"""

from __future__ import annotations

import argparse
import json
import sys
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import numpy as np

SIZES = (50, 200, 1000, 10_000)
SHIFTS = (0.0, 0.1, 0.2, 0.3, 0.5, 1.0)
TRAINING, WINDOWS, MOST = 10_000, 5, 20
NUMBERS = (*(f"normal {place}" for place in range(5)), "lognormal", "counts")
COLUMNS = (*NUMBERS, "category")
SHIFTED = "normal 0"

_WORDS = np.array([f"word {place}" for place in range(30)], dtype=object)
_SHARES = 1 / np.arange(1, 31)
_TRAINING, _CLEAN = 1_000_000, 0  # in the place of a shift, and of a window

Window = Mapping[str, np.ndarray]
Named = Mapping[str, Collection[str]]  # judge → columns that it names
Look = Callable[[Window, Collection[str]], Named]  # a window, and the columns that are asked about
Learn = Callable[[Window, int], Look]  # the training rows, and the rows of the windows that will come


def judged(learn: Learn, *, share: float | None) -> None:
    """Run the simulation with the numbers of the command line, and print one JSON line for each result.

    Args:
        learn: From training rows to a judge of windows.
        share: Of all columns, from which on the first judge calls a whole window drift; None where it has no such word.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--clean", type=int, required=True, help="deployments in which nothing changes")
    parser.add_argument("--shifted", type=int, required=True, help="deployments of each shift")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    asked = parser.parse_args()
    for size in asked.sizes:
        for line in _clean(learn, size, asked.clean, share):
            print(json.dumps(line), flush=True)
        for shift in SHIFTS:
            print(json.dumps(_detected(learn, size, shift, asked.shifted)), flush=True)


def rows(count: int, *numbers: int, shift: float = 0.0) -> dict[str, np.ndarray]:
    """Rows that depend on `numbers` alone."""
    dice = np.random.default_rng([count, *numbers])
    found: dict[str, np.ndarray] = {name: dice.normal(size=count) for name in NUMBERS[:5]}
    found[SHIFTED] += shift
    found |= {"lognormal": dice.lognormal(size=count), "counts": dice.poisson(4, count).astype(float)}
    found["category"] = _WORDS[dice.choice(len(_WORDS), count, p=_SHARES / _SHARES.sum())]
    return found


# ----------------------------------------------------------------------------------------------------------------------


def _clean(learn: Learn, size: int, deployments: int, share: float | None) -> Iterator[dict[str, Any]]:
    said: dict[str, list[list[bool]]] = {}
    checksum = 0
    for number in range(deployments):
        look = learn(rows(TRAINING, number, _TRAINING), size)
        told: dict[str, list[bool]] = {}
        for window in range(WINDOWS):
            shown = rows(size, number, _CLEAN, window)
            checksum = _checked(shown, checksum) if number < 3 else checksum
            for place, (judge, columns) in enumerate(look(shown, COLUMNS).items()):
                told.setdefault(judge, []).append(bool(columns))
                if place == 0 and share is not None:
                    told.setdefault(f"{judge}: drift", []).append(len(columns) >= share * len(COLUMNS))
        for judge, alarms in told.items():
            said.setdefault(judge, []).append(alarms)
    for judge, alarms in said.items():
        yield {
            "part": "clean",
            "judge": judge,
            "rows": size,
            "alarms": int(np.sum(alarms)),
            "windows": int(np.size(alarms)),
            "deployments_with_alarm": int(np.any(alarms, axis=1).sum()),
            "deployments": deployments,
            "checksum": checksum,
        }


def _detected(learn: Learn, size: int, shift: float, deployments: int) -> dict[str, Any]:
    """Of the first judge: those beside it are there for their alarms."""
    windows, judge = [], ""
    for number in range(deployments):
        look = learn(rows(TRAINING, number, _TRAINING), size)
        for window in range(1, MOST + 1 if shift else 2):
            shown = rows(size, number, round(100 * shift), window, shift=shift)
            judge, columns = next(iter(look(shown, [SHIFTED]).items()))
            if SHIFTED in columns:
                windows.append(window)
                break
        else:
            windows.append(MOST + 1)
    return {
        "part": "shifted",
        "judge": judge,
        "rows": size,
        "shift": shift,
        "median_windows": float(np.median(windows)) if np.median(windows) <= MOST else None,
        "in_the_first": float(np.mean(np.array(windows) == 1)),
        "deployments": deployments,
    }


def _checked(window: Window, before: int) -> int:
    found = before
    for name in COLUMNS:
        values = window[name]
        data = values.tobytes() if values.dtype != object else "|".join(values.tolist()).encode()
        found = zlib.crc32(data, found)
    return found


if __name__ == "__main__":
    sys.exit("This is run by its neighbours: python benchmarks/drift_verdicts/run.py")
