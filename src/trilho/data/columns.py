"""From rows as read to columns with kinds, all mistakes gathered on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from trilho.data.convert import converted
from trilho.data.dataset import KINDS, Column, Kind
from trilho.data.kinds import describe, kind_of
from trilho.data.plain import content_of, plain
from trilho.data.problems import Problem, did_you_mean, listed, report
from trilho.data.sources.table import Table
from trilho.data.strangers import first_value, mixed_problem, unsupported_problem
from trilho.data.target import target_problems
from trilho.data.words import words_of


def prepared(
    table: Table, *, source: str, target: str, task: str, kinds: Mapping[str, str], drop: Sequence[str], text: bool
) -> tuple[pd.DataFrame, tuple[Column, ...]]:
    """The columns to learn from, each of one kind and of the plain type of that kind.

    Args:
        table: Rows as read.
        source: What to call the data in messages.
        target: The column to predict. It keeps its own values (words stay words), unless `kinds` names it.
        task: classification, regression or image-classification.
        kinds: Column → kind, where the inferred one is wrong.
        drop: Columns to leave out.
        text: The source is a text file, which can be told to read a word as missing.

    Raises:
        BadData: one error that lists all that is wrong.
    """
    names = [str(name) for name in table.frame.columns]
    problems = _name_problems(names, target, kinds, drop)
    if len(table.frame) == 0:
        problems.append(Problem(what="there are columns but no rows.", remedy="Put rows into it."))
        report(source, problems)
    kept: dict[str, pd.Series[Any]] = {}
    columns: list[Column] = []
    for place, name in enumerate(names):
        if name in drop or name in kept:
            continue
        column = table.frame.iloc[:, place].rename(name)
        if kinds.get(name) in KINDS:
            made, kind, wrong = _as_told(table, column, kinds[name])
        elif name == target:
            made, kind, wrong = _as_target(table, column, text)
        else:
            made, kind, wrong = _as_inferred(table, column, text)
        if kind == "number":
            wrong += _infinities(table, made, text)
        if name == target and not wrong:
            wrong += target_problems(made, table, task)
        kept[name] = made
        columns.append(describe(made, kind) if not wrong else Column(name=name, kind=kind))
        problems += wrong
    if problems:
        report(source, problems)
    return pd.DataFrame(kept, copy=False), tuple(columns)


def require_known_columns(named: Iterable[str], names: Sequence[str], where: str) -> list[Problem]:
    """A problem for each column that trilho.yaml names and the data does not have."""
    return [
        Problem(
            what=f"{where} names column '{name}', which does not exist.{did_you_mean(name, names)}",
            remedy=f"Correct {where} in trilho.yaml; the columns are: {listed(names)}.",
        )
        for name in named
        if name not in names
    ]


def _name_problems(names: Sequence[str], target: str, kinds: Mapping[str, str], drop: Sequence[str]) -> list[Problem]:
    problems = [
        Problem(what=f"column '{name}' appears {count} times.", remedy=f"Give each '{name}' a name of its own.")
        for name, count in Counter(names).items()
        if count > 1
    ]
    if target not in names:
        what = f"there is no target column '{target}'.{did_you_mean(target, names)}"
        problems.append(Problem(what=what, remedy=f"Correct target in trilho.yaml; the columns are: {listed(names)}."))
    elif target in drop:
        problems.append(Problem(what=f"data.drop leaves out the target '{target}'.", remedy="Correct data.drop."))
    elif not set(names) - {target} - set(drop):
        problems.append(Problem(what=f"there is no column besides the target '{target}'.", remedy="Add features."))
    problems += require_known_columns(kinds, names, "data.kinds") + require_known_columns(drop, names, "data.drop")
    problems += [
        Problem(
            what=f"data.kinds gives '{name}' the kind '{kind}', which does not exist.{did_you_mean(kind, KINDS)}",
            remedy=f"The kinds are: {listed(KINDS)}.",
        )
        for name, kind in kinds.items()
        if kind not in KINDS
    ]
    return problems


def _as_told(table: Table, column: pd.Series[Any], told: str) -> tuple[pd.Series[Any], Kind, list[Problem]]:
    kind = next(known for known in KINDS if known == told)
    made, refused = converted(column, kind)
    if not refused.any():
        return made, kind, []
    problem = Problem(
        what=f"column '{column.name}' is no {kind}: {first_value(column, refused)} on {table.first_of(refused)}.",
        remedy=f"Correct these values, or data.kinds in trilho.yaml.{_hint(kind)}",
    )
    return made, kind, [problem]


def _hint(kind: Kind) -> str:
    return {
        "time": " Times are read as 2026-01-31, with or without 12:59:00 and a zone.",
        "boolean": " Booleans are true/false, yes/no or 1/0.",
    }.get(kind, "")


def _as_target(table: Table, column: pd.Series[Any], text: bool) -> tuple[pd.Series[Any], Kind, list[Problem]]:
    made = plain(column)
    content = content_of(made)
    if content == "text" and not isinstance(column.dtype, pd.CategoricalDtype):
        words = words_of(made)
        if words.mixed:
            return made, "category", [mixed_problem(table, made, words.mixed, text)]
    known: dict[str, Kind] = {"number": "number", "boolean": "boolean", "time": "time", "text": "category"}
    if content not in known:
        return made, "category", [unsupported_problem(table, made, text)]
    return made, known[content], []


def _as_inferred(table: Table, column: pd.Series[Any], text: bool) -> tuple[pd.Series[Any], Kind, list[Problem]]:
    made = plain(column)
    words = words_of(made) if content_of(made) == "text" else None
    if words and words.mixed and not isinstance(column.dtype, pd.CategoricalDtype):
        return made, "category", [mixed_problem(table, made, words.mixed, text)]
    kind = kind_of(column, words)
    if kind is None:
        return made, "category", [unsupported_problem(table, made, text)]
    return converted(made, kind)[0], kind, []


def _infinities(table: Table, column: pd.Series[Any], text: bool) -> list[Problem]:
    infinite = np.isinf(column.to_numpy(dtype="float64")) if column.dtype.kind == "f" else np.zeros(0, dtype=bool)
    if not infinite.any():
        return []
    told = 'data.options.na_values: ["inf", "-inf"] reads them as missing' if text else "Replace them by missing values"
    what = f"column '{column.name}' holds infinity on {table.first_of(infinite)}."
    return [Problem(what=what, remedy=f"{told}; no model can learn from an infinite number.")]
