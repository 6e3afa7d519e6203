"""Windows of rows as the journal holds them, and the reports on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from shipped import Shipped
from trilho import bundle
from trilho.bundle.columns import columns_of
from trilho.journal import Rows
from trilho.monitoring import Reference, Report, watch
from trilho.project.file import DriftRule

SINCE, UNTIL = 1_767_225_600.0, 1_767_225_600.0 + 24 * 3600  # 2026-01-01


def journaled(shipped: Shipped, frame: pd.DataFrame, *, version: str = "3", model: str = "tried", **when: Any) -> Rows:
    """Rows as the journal holds them after these were answered, spread evenly over `since` to `until`."""
    answers = shipped.answers(frame)
    size = len(frame)
    times = np.linspace(when.get("since", SINCE), when.get("until", UNTIL), size, endpoint=False)
    return Rows(
        ids=np.array([f"r-{row}" for row in range(size)], dtype=object),
        times=(times * 1e6).astype(np.int64).astype("datetime64[us]"),
        models=np.array([model] * size, dtype=object),
        versions=np.array([version] * size, dtype=object),
        latencies=np.zeros(size),
        columns=columns_of(frame, shipped.schema.fields),
        labels=answers.labels,
        probabilities=answers.probabilities,
    )


def reference(shipped: Shipped) -> Reference:
    return Reference(schema=shipped.schema, profile=bundle.read_profile(shipped.path))


def knows(shipped: Shipped, *versions: str) -> Callable[[str, str], Reference | None]:
    """Finds the reference of these versions of "tried", and no other."""
    known = reference(shipped)
    return lambda model, version: known if model == "tried" and version in versions else None


def reports(shipped: Shipped, *rows: Rows, versions: tuple[str, ...] = ("3",), **rule: Any) -> tuple[Report, ...]:
    return watch(
        rows,
        model="tried",
        version="3",
        find=knows(shipped, *versions),
        since=SINCE,
        until=UNTIL,
        rule=DriftRule(**{"min_rows": 100, **rule}),
    )


def report(shipped: Shipped, *rows: Rows, **rule: Any) -> Report:
    return reports(shipped, *rows, **rule)[0]


def without_features(rows: Rows) -> Rows:
    """The same as the journal holds them with journal.columns: ["-*"]."""
    return replace(rows, columns={})


def trained(shipped: Shipped) -> pd.DataFrame:
    return shipped.frame[: int(len(shipped.frame) * 0.7)].reset_index(drop=True)
