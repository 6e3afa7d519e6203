"""A fitted pipeline that chooses its columns by place: a graph has one matrix, and no names in it."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from trilho.bundle.columns import is_numeric
from trilho.bundle.schema import Schema
from trilho.errors import NotCompilable


def by_place(model: Any, names: tuple[str, ...]) -> Any:
    """A copy, fitted parts shared, whose column transformers choose by place instead of by name; searches unwrapped."""
    from sklearn.compose import ColumnTransformer
    from sklearn.pipeline import FeatureUnion, Pipeline

    if hasattr(model, "best_estimator_"):
        return by_place(model.best_estimator_, names)
    if isinstance(model, Pipeline):
        made = copy.copy(model)
        made.steps = [(name, by_place(step, names)) for name, step in model.steps if step not in (None, "passthrough")]
        return made if made.steps else model
    if isinstance(model, FeatureUnion):
        made = copy.copy(model)
        made.transformer_list = [(name, by_place(part, names)) for name, part in model.transformer_list]
        return made
    if isinstance(model, ColumnTransformer):
        made = copy.copy(model)
        known = tuple(getattr(model, "feature_names_in_", names))
        made.transformers_ = []
        for name, part, columns in model.transformers_:
            places = _places(columns, known)
            if places and part != "drop":
                inner = tuple(known[place] for place in places)
                made.transformers_.append((name, by_place(part, inner), places))
        return made
    return model


def refuse_foreign_kinds(model: Any, schema: Schema) -> None:
    """Text, time and images are no doubles; they may be there as long as the model leaves them out."""
    from sklearn.compose import ColumnTransformer

    first = model
    while hasattr(first, "steps"):
        first = first.steps[0][1]
    used = set(range(len(schema.fields)))
    if isinstance(first, ColumnTransformer):
        used = {place for _, _, places in first.transformers_ for place in places}
    for place, field in enumerate(schema.fields):
        if place in used and not is_numeric(field) and field.kind != "category":
            raise NotCompilable(
                f"Column '{field.name}' cannot enter a compiled model.",
                why=f"The model reads column '{field.name}' as {field.kind}, which a matrix of numbers cannot hold.",
                remedy="It is bundled native instead.",
            )


# ----------------------------------------------------------------------------------------------------------------------


def _places(columns: Any, known: tuple[str, ...]) -> list[int]:
    if isinstance(columns, slice):
        if isinstance(columns.start, str) or isinstance(columns.stop, str):
            first = known.index(columns.start) if columns.start is not None else 0
            last = known.index(columns.stop) if columns.stop is not None else len(known) - 1
            return list(range(first, last + 1))
        return list(range(len(known)))[columns]
    entries = [columns] if isinstance(columns, str | int) else list(columns)
    if entries and all(isinstance(entry, bool | np.bool_) for entry in entries):
        return [place for place, chosen in enumerate(entries) if chosen]
    return [known.index(entry) if isinstance(entry, str) else int(entry) % len(known) for entry in entries]
