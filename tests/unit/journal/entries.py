"""Entries of a journal, and what is read back."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from trilho.journal import Answered, Features, Journal, Keeper, Rows, read


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


def mixed(request: str = "a", *, rows: int = 1, version: str = "3", at: float = 1000.0) -> Answered:
    """Words, numbers, booleans and times, every third value missing; labels are words."""
    missing = np.arange(rows) % 3 == 2
    words = np.array(["São Paulo", "", 'a "b"\n'] * rows, dtype=object)[:rows]
    columns = {
        "income": np.where(missing, np.nan, np.arange(rows) / 3),
        "city": np.where(missing, None, words),
        "time": np.where(missing, np.datetime64("NaT"), np.datetime64("2026-01-31T12:00:00.000000001", "ns")),
        "all.missing": np.full(rows, None, dtype=object),
    }
    return Answered(
        request=request,
        time=at,
        model="churn",
        version=version,
        latency=0.5,
        features=Features.of(columns),
        labels=np.array(["no", "yes"] * rows, dtype=object)[:rows],
        probabilities=np.tile([0.1, 0.2, 0.7], (rows, 1)),
    )


def wide(request: str = "a", *, rows: int = 1, version: str = "3", at: float = 1000.0) -> Answered:
    return numbers(request, rows=rows, version=version, at=at, columns=200)


KINDS: Mapping[str, Callable[..., Answered]] = {
    "all numbers": numbers,
    "categories and missing": mixed,
    "200 columns": wide,
}


def journaled(folder: Path, *entries: Answered) -> Path:
    """The entries in a file that is closed by its writer, and not by the keeper yet; its path."""
    before = set(folder.glob("*.arrows"))
    journal = Journal(folder)
    for entry in entries:
        journal.append(entry)
    journal.close()
    [path] = set(folder.glob("*.arrows")) - before
    return path


def tidied(folder: Path, *, now: float = 2000.0) -> None:
    """The keeper's round, which must do all there is to do."""
    assert Keeper(folder).tidy(now).problem == ""


def in_parquet(folder: Path) -> list[Path]:
    return sorted((folder / "predictions").glob("*"))


def same(one: Rows, other: Rows) -> None:
    for name in ("ids", "times", "models", "versions", "latencies", "labels", "probabilities"):
        before, after = getattr(one, name), getattr(other, name)
        assert before.dtype == after.dtype
        np.testing.assert_array_equal(before, after)
    assert list(one.columns) == list(other.columns)
    for name, values in one.columns.items():
        assert values.dtype == other.columns[name].dtype, name
        np.testing.assert_array_equal(values, other.columns[name])


def everything(folder: Path) -> list[Rows]:
    return list(read(folder, since=0, until=1e11))


def ids(folder: Path) -> list[str]:
    return [str(found) for rows in everything(folder) for found in rows.ids]


def wait_until(true: object) -> None:
    deadline = time.monotonic() + 60
    while not true():  # type: ignore[operator]
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.01)
