"""Problems of columns whose values are not of one type, in words."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from trilho.data.problems import Problem, listed
from trilho.data.sources.table import Table
from trilho.data.words import Mixed

_SCALARS = (str, int, float, bool, np.number, np.bool_)


def mixed_problem(table: Table, column: pd.Series[Any], mixed: Mixed, text: bool) -> Problem:
    """Numbers with words among them: the first such value, its line, and the way out."""
    flags = column.isin(list(mixed.strangers)).to_numpy()
    where = f"{first_value(column, flags)} on {table.first_of(flags)}"
    if mixed.comma:
        return Problem(
            what=f"column '{column.name}' holds numbers with a comma: {where}.",
            remedy=_how_to_read_commas(mixed.thousands)
            if text
            else f"Turn '{column.name}' into numbers where it is made.",
        )
    return _mixed(str(column.name), mixed.most, where, mixed.strangers, text)


def unsupported_problem(table: Table, column: pd.Series[Any], text: bool) -> Problem:
    """Objects of several types, or of one that no model takes."""
    there = column.notna().to_numpy()
    types = np.array([type(value) for value in column], dtype=object)
    if all(issubclass(kind, _SCALARS) for kind in set(types[there])):
        words = there & np.array([issubclass(kind, str) for kind in types])
        if words.any():
            strangers = tuple(dict.fromkeys(str(value) for value in column[words]))
            where = f"{first_value(column, words)} on {table.first_of(words)}"
            return _mixed(str(column.name), "numbers", where, strangers, text)
    named = sorted({kind.__name__ for kind in types[there]})
    return Problem(
        what=f"column '{column.name}' holds {listed(named)} ({table.first_of(there)}), which is no kind of column.",
        remedy=f"Turn it into numbers, text or times, or leave it out: data.drop: [{column.name}]. "
        f"If it holds images: data.kinds: {{{column.name}: image}}.",
    )


def first_value(column: pd.Series[Any], flags: np.ndarray[Any, Any]) -> str:
    """The first flagged value, as a person would quote it."""
    shown = repr(column.iloc[int(flags.argmax())])
    return shown if len(shown) <= 60 else f"{shown[:57]}…'"


def _how_to_read_commas(thousands: bool) -> str:
    if thousands:
        return 'Set data.options.thousands: "," in trilho.yaml; or data.options.decimal: "," where 1,045 is about 1.'
    return 'Set data.options.decimal: "," in trilho.yaml.'


def _mixed(name: str, most: str, where: str, strangers: tuple[str, ...], text: bool) -> Problem:
    words = ", ".join(f'"{word}"' for word in strangers[:5]) + (", …" if len(strangers) > 5 else "")
    missing = f"data.options.na_values: [{words}]" if text else f"replace {words} by nothing where the data is made"
    return Problem(
        what=f"column '{name}' mixes {most} and words: {where}.",
        remedy=f"If that means missing: {missing}. If these are names: data.kinds: {{{name}: category}}.",
    )
