"""From training rows to a schema: kinds, ranges, quantiles, categories with their shares."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trilho.bundle.columns import columns_of, is_null, words
from trilho.bundle.schema import Field, Label, Schema
from trilho.data import Column

if TYPE_CHECKING:
    import pandas as pd

MOST_VALUES = 1000
_SHARES = np.linspace(0.0, 1.0, 21)


def describe(
    frame: pd.DataFrame,
    columns: tuple[Column, ...],
    *,
    task: str,
    target: str,
    labels: Sequence[Any] = (),
    label_names: Sequence[str] = (),
    positive: Any = None,
) -> Schema:
    """What the training rows look like.

    Whether the model takes a missing value, or a category it has not seen, is not known yet: `nullable` says here
    whether the data had missing values. `build` tries the model and corrects both.

    Args:
        frame: Training rows; holds at least the feature columns. Shape (n, …).
        columns: The feature columns in the order the model takes them.
        labels: The target's labels, sorted as scikit-learn's `classes_`; empty for regression.
        label_names: Words for the labels, same order; empty for their own text.
        positive: The label that precision and recall look at.

    Raises:
        CannotPredict: a column is missing from the frame, or holds values its kind cannot be read from.
    """
    plain = tuple(_plain(label) for label in labels)
    return Schema(
        task=task,
        target=target,
        fields=tuple(_field(frame, column) for column in columns),
        labels=plain,
        label_names=tuple(label_names) or tuple(str(label) for label in plain),
        positive=None if positive is None else _plain(positive),
    )


def every_value(values: np.ndarray) -> tuple[str, ...]:
    """All categories of a canonical column, by falling frequency, equal ones by name."""
    return tuple(value for value, _ in _counted(values))


# ----------------------------------------------------------------------------------------------------------------------


def _plain(label: Any) -> Label:
    """A label without numpy around it."""
    found: Label = label.item() if isinstance(label, np.generic) else label
    return found


def _field(frame: pd.DataFrame, column: Column) -> Field:
    field = Field(name=column.name, kind=column.kind, nullable=column.nullable, dtype=_dtype(frame, column))
    if column.kind == "image":
        return field
    values = columns_of(frame, [field])[column.name]
    known = values[~is_null(values)]
    facts: dict[str, Any] = {"missing": (len(values) - len(known)) / max(1, len(values))}
    if column.kind == "number" or (column.kind == "time"):
        facts |= _range(known if column.kind == "number" else seconds(known))
    if column.kind in ("category", "boolean"):
        facts |= _categories(words(field, known), len(values))
    return Field(name=field.name, kind=field.kind, nullable=field.nullable, dtype=field.dtype, **facts)


def _dtype(frame: pd.DataFrame, column: Column) -> str:
    if column.kind == "image":
        return ""
    dtype = frame[column.name].dtype
    inner = getattr(dtype, "categories", None)
    return f"category:{inner.dtype}" if inner is not None else str(dtype)


def seconds(times: np.ndarray) -> np.ndarray:
    """Times as seconds since 1970 UTC, NaT as NaN."""
    return np.where(np.isnat(times), np.nan, times.astype("datetime64[ns]").astype(np.int64) / 1e9)


def _range(known: np.ndarray) -> dict[str, Any]:
    known = known[np.isfinite(known)]
    if not len(known):
        return {}
    quantiles = np.quantile(known, _SHARES)
    return {
        "minimum": float(known.min()),
        "maximum": float(known.max()),
        "quantiles": tuple(float(value) for value in quantiles),
        "typical": float(np.median(known)),
        "integer": bool((known == np.floor(known)).all()),
    }


def _categories(known: np.ndarray, rows: int) -> dict[str, Any]:
    counted = _counted(known)[:MOST_VALUES]
    return {
        "typical": counted[0][0] if counted else None,
        "values": tuple(value for value, _ in counted),
        "shares": tuple(count / rows for _, count in counted),
    }


def _counted(known: np.ndarray) -> list[tuple[str, int]]:
    counts = Counter(word for word in known.tolist() if word is not None)
    return sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
