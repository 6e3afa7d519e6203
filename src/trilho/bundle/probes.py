"""Rows to try a model with, and what trying it shows: which values it takes, and which it refuses.

A model's own behaviour decides what may be asked of it. A forest takes a missing value, a linear model refuses it; one
encoder ignores an unknown category, another raises. The schema of a bundle says so, column by column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from trilho.bundle.columns import is_numeric, words
from trilho.bundle.describing import every_value
from trilho.bundle.predictions import Predictions
from trilho.bundle.schema import Field, Schema

Columns = Mapping[str, np.ndarray]
Ask = Callable[[Columns], Predictions]

UNHEARD_OF = "\u2603 unheard of"  # a category that nobody has
UNHEARD_OF_NUMBER = -987_654_321.0
MAGNITUDES = (1e300, 1e38, 1e30, 1e18, 1e12)
_CHANGED_ROWS = 2_000
_SEED = 20_260_101


def learn_terms(ask: Ask, schema: Schema, train: Columns, rows: Columns) -> Schema:
    """The schema with `nullable` and `closed` as the model behaves.

    Args:
        ask: The model itself.
        train: All training rows, canonical: a closed column takes exactly their categories.
        rows: Rows to change and try; a few suffice.
    """
    one = take(rows, np.arange(min(1, _length(rows))))
    takes_null = _taken(ask, one, schema.fields, _null)
    open_to = [field for field in schema.fields if field.kind == "category"]
    takes_unknown = _taken(ask, one, open_to, _unheard_of)
    fields = []
    for field in schema.fields:
        closed = field in open_to and field.name not in takes_unknown
        values = every_value(words(field, train[field.name])) if closed else field.values
        fields.append(replace(field, nullable=field.name in takes_null, closed=closed, values=values))
    return replace(schema, fields=tuple(fields))


def largest_taken(ask: Ask, schema: Schema, rows: Columns, agrees: Callable[[Columns, Predictions], bool]) -> float:
    """The largest magnitude that every number column takes, and answers with numbers; infinity is always refused.

    Args:
        agrees: Says whether the answers to these columns hold (for a compiled model: are the model's).

    Returns:
        One of `MAGNITUDES`, or 0.0 where none of them is taken.
    """
    for magnitude in MAGNITUDES:
        extreme = stretched(rows, schema, magnitude)
        if not extreme:
            return MAGNITUDES[0]
        try:
            with np.errstate(all="ignore"):
                answers = ask(extreme)
                if _finite(answers) and agrees(extreme, answers):
                    return magnitude
        except Exception:  # a model refuses in its own way; the next magnitude is asked
            continue
    return 0.0


def stretched(rows: Columns, schema: Schema, magnitude: float) -> dict[str, np.ndarray]:
    """Rows in which one number column at a time is ±magnitude."""
    numbers = [field for field in schema.fields if field.kind == "number"]
    changes = [(field, sign * magnitude) for field in numbers for sign in (1.0, -1.0)]
    return changed(take(rows, np.zeros(1, dtype=np.int64)), changes) if changes and _length(rows) else {}


def with_nulls(rows: Columns, schema: Schema) -> dict[str, np.ndarray]:
    """Rows with nulls in every column that takes them: alone, on several rows each, and many at once."""
    nullable = [field for field in schema.fields if field.nullable]
    if not nullable or not _length(rows):
        return {}
    each = max(1, min(20, _CHANGED_ROWS // len(nullable)))
    some = take(rows, np.arange(min(each, _length(rows))))
    alone = [changed(some, [(field, _null(field))], whole=True) for field in nullable]
    chance = np.random.default_rng(_SEED)
    many = dict(take(rows, np.arange(min(200, _length(rows)))))
    for field in nullable:
        values = many[field.name].copy()
        values[chance.random(len(values)) < 0.3] = _null(field)
        many[field.name] = values
    return joined([*alone, many])


def at_extremes(rows: Columns, schema: Schema) -> dict[str, np.ndarray]:
    """Rows at the ends of the training ranges and at zero, and with each category, known or not."""
    changes: list[tuple[Field, object]] = []
    for field in schema.fields:
        if field.kind == "number" and field.minimum is not None:
            changes += [(field, field.minimum), (field, field.maximum), (field, 0.0), (field, -1.0)]
            changes += [(field, value) for value in field.quantiles[1:-1:5]]
        if field.kind == "boolean":
            changes += [(field, 0.0), (field, 1.0)]
        if field.kind == "category":
            numeric = is_numeric(field)
            changes += [(field, float(value) if numeric else value) for value in field.values[:100]]
            changes += [] if field.closed else [(field, _unheard_of(field)), (field, 0.5 if numeric else "")]
    return changed(take(rows, np.zeros(1, dtype=np.int64)), changes) if changes and _length(rows) else {}


def changed(rows: Columns, changes: Sequence[tuple[Field, object]], *, whole: bool = False) -> dict[str, np.ndarray]:
    """The rows once for each change, with that one value set (in all of them where `whole`)."""
    times = 1 if whole else len(changes)
    made = {name: np.tile(values, times) for name, values in rows.items()}
    for place, (field, value) in enumerate(changes):
        chosen = slice(None) if whole else slice(place, place + 1)
        made[field.name][chosen] = value
    return made


def take(columns: Columns, rows: np.ndarray) -> dict[str, np.ndarray]:
    """The chosen rows of every column."""
    return {name: values[rows] for name, values in columns.items()}


def joined(parts: Iterable[Columns]) -> dict[str, np.ndarray]:
    """All rows of several tables with the same columns."""
    parts = list(parts)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


# ----------------------------------------------------------------------------------------------------------------------


def _taken(ask: Ask, one: Columns, fields: Sequence[Field], change: Callable[[Field], object]) -> set[str]:
    """The columns whose change the model answers: all asked at once, one by one only where that is refused."""
    if not fields or not _length(one):
        return set()
    if _answers(ask, changed(one, [(field, change(field)) for field in fields])):
        return {field.name for field in fields}
    return {field.name for field in fields if _answers(ask, changed(one, [(field, change(field))]))}


def _answers(ask: Ask, columns: Columns) -> bool:
    try:
        return _finite(ask(columns))
    except Exception:  # a model refuses in its own way
        return False


def _finite(answers: Predictions) -> bool:
    numbers = answers.labels if answers.probabilities is None else answers.probabilities
    return numbers.dtype.kind != "f" or bool(np.isfinite(numbers).all())


def _unheard_of(field: Field) -> object:
    return UNHEARD_OF_NUMBER if is_numeric(field) else UNHEARD_OF


def _null(field: Field) -> object:
    if is_numeric(field):
        return np.nan
    return np.datetime64("NaT") if field.kind == "time" else None


def _length(columns: Columns) -> int:
    return len(next(iter(columns.values()), ()))
