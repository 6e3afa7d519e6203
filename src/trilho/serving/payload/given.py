"""What a body says, by column, before anybody asked what the model takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

import numpy as np

from trilho.bundle import Schema
from trilho.errors import CannotPredict
from trilho.serving.payload.values import column_of

Columns = dict[str, np.ndarray]
Values = Sequence[Any] | np.ndarray
Given = Mapping[Any, Values]  # column → values, as the body has them; whatever JSON says may be a name

_EXAMPLE = '{"dataframe_split": {"columns": ["a", "b"], "data": [[1, 2]]}}'
_SHOWN = 20


def columns_of(given: Given, schema: Schema) -> Columns:
    """Canonical columns (`bundle.columns`), all of the schema's, each of shape (n,). Others are not looked at.

    Raises:
        CannotPredict: a column is missing, or a value is not of its kind; names column and row.
    """
    missing = [name for name in schema.names if name not in given]
    if missing:
        raise _no_such_columns(missing, given)
    rows = len(given[schema.names[0]]) if schema.names else 0
    for name in schema.names:
        if len(given[name]) != rows:
            what = f"Column '{name}' has {len(given[name])} rows, column '{schema.names[0]}' has {rows}."
            raise malformed(what, column=name)
    return {field.name: column_of(field, given[field.name]) for field in schema.fields}


def by_position(rows: Sequence[Any], names: Sequence[Any], schema: Schema) -> Given:
    """Rows as lists, their values in the order of `names`. A row that is no list has one value.

    Raises:
        CannotPredict: a column that the model reads stands twice, or a row has not as many values as there are names.
    """
    if len(set(names)) < len(names):
        twice = next((name for name in schema.names if list(names).count(name) > 1), None)
        if twice is not None:
            raise malformed(f"Column '{twice}' appears more than once.", column=twice)
    if not rows:
        return dict.fromkeys(names, ())
    lists = rows if set(map(type, rows)) == {list} else [row if type(row) is list else [row] for row in rows]
    try:
        columns = list(zip(*lists, strict=True))
    except ValueError:
        columns = []
    if len(columns) != len(names):
        place = next(place for place, row in enumerate(lists) if len(row) != len(names))
        what = f"Row {place} has {len(lists[place])} values; there are {len(names)} columns."
        raise malformed(what, row=place)
    return dict(zip(names, columns, strict=True))


def malformed(what: str, *, column: str | None = None, row: int | None = None) -> CannotPredict:
    """The error for a body that is not in a form that anybody could read."""
    return CannotPredict(what, remedy=f"Send for example {_EXAMPLE}", column=column, row=row, malformed=True)


# ----------------------------------------------------------------------------------------------------------------------


def _no_such_columns(missing: Sequence[str], given: Given) -> CannotPredict:
    names = [name for name in given if isinstance(name, str)]
    near = get_close_matches(missing[0], names, n=1) if len(names) <= 1_000 else []
    what = f"Model is missing inputs: column '{missing[0]}' is not in the request"
    more = f", nor are {_listed([repr(name) for name in missing[1:]])}" if len(missing) > 1 else ""
    hint = f" Was '{near[0]}' meant for '{missing[0]}'?" if near else ""
    return CannotPredict(
        f"{what}{more}.",
        why=f"Given were: {_listed(names) or 'no columns'}.{hint}",
        remedy=f"Send '{missing[0]}' with every row; null where its value is unknown and the model takes that.",
        column=missing[0],
    )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
