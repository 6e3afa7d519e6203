"""Entries of a journal, and what is read back."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np

from trilho.journal import Answered, Features, Rows, read


def numbers(request: str = "a", *, rows: int = 1, version: str = "3", at: float = 1000.0, columns: int = 2) -> Answered:
    return Answered(
        request=request,
        time=at,
        model="cancer",
        version=version,
        latency=0.001,
        features=Features.of({f"x{place}": np.arange(rows, dtype=float) + place for place in range(columns)}),
        labels=np.arange(rows) % 2,
        probabilities=np.tile([0.25, 0.75], (rows, 1)),
    )


def everything(folder: Path) -> list[Rows]:
    return list(read(folder, since=0, until=1e11))


def ids(folder: Path) -> list[str]:
    return [str(found) for rows in everything(folder) for found in rows.ids]


def wait_until(true: object) -> None:
    deadline = time.monotonic() + 60
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
