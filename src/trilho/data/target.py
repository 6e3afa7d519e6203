"""What a target must be so that there is something to learn."""

from __future__ import annotations

from typing import Any

import pandas as pd

from trilho.data.plain import content_of
from trilho.data.problems import Problem
from trilho.data.sources.table import Table

# A class that nearly every row has for itself is a number or an id. Below ten rows nobody can tell.
_MOST_DIFFERENT = 0.5
_LEAST_ROWS = 10


def target_problems(column: pd.Series[Any], table: Table, task: str) -> list[Problem]:
    """What keeps a target in its plain type from being learned; empty when nothing does.

    Args:
        column: The target.
        table: Where it comes from, to name lines.
        task: regression needs numbers that differ; every other task needs classes, at least two.
    """
    name = f"target '{column.name}'"
    problems: list[Problem] = []
    missing = column.isna()
    if missing.any():
        problems.append(
            Problem(
                what=f"{name} has no value in {int(missing.sum())} of {len(column)} rows: "
                f"{table.first_of(missing.to_numpy())}.",
                remedy="Fill the answers in, or remove these rows: a row without its answer teaches nothing.",
            )
        )
    content = content_of(column)
    different = int(column.nunique())
    if task == "regression" and content != "number":
        shown = column.dropna().iloc[0] if different else None
        what = f"{name} holds {shown!r}; regression needs numbers."
        problems.append(Problem(what=what, remedy="Set task: classification in trilho.yaml, or name another target."))
    elif content == "time":
        problems.append(Problem(what=f"{name} holds times, not classes.", remedy="Name another target in trilho.yaml."))
    elif different == 1:
        alone = column.dropna().iloc[0]
        noun = "value" if task == "regression" else "class"
        problems.append(
            Problem(
                what=f"{name} has one {noun} only: {_shown(alone)} in all {len(column) - int(missing.sum())} rows.",
                remedy="Add rows with another answer: with one only there is nothing to tell apart.",
            )
        )
    elif task != "regression" and len(column) >= _LEAST_ROWS and different > _MOST_DIFFERENT * len(column):
        way = "Set task: regression, or name another target" if content == "number" else "Name another target"
        problems.append(
            Problem(
                what=f"{name} has {different} different values in {len(column)} rows: these are no classes.",
                remedy=f"{way} in trilho.yaml.",
            )
        )
    return problems


def _shown(value: Any) -> str:
    return repr(value.item()) if hasattr(value, "item") else repr(value)
