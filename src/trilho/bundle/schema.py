"""What a model takes and gives: its columns with the training data's ranges, its labels with their names."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Field:
    """A feature.

    Args:
        kind: number, category, boolean, text, time or image.
        nullable: Does the model take a missing value here? (Not: did the data have one.)
        minimum, maximum: Of the training rows; numbers, for kind time seconds since 1970 UTC; None for other kinds.
        quantiles: At 0, 5, 10, … 100 %; 21 numbers, empty for other kinds.
        typical: The median, or the most frequent category.
        values: Categories by falling frequency (at most 1,000), booleans as "false", "true".
        shares: Share of rows of each of `values`, sums to at most 1.
        missing: Share of training rows without a value.
        integer: All numbers were whole.
    """

    name: str
    kind: str
    nullable: bool
    minimum: float | None = None
    maximum: float | None = None
    quantiles: tuple[float, ...] = ()
    typical: float | str | None = None
    values: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()
    missing: float = 0.0
    integer: bool = False


@dataclass(frozen=True, kw_only=True)
class Schema:
    """All of a model's features in the order it takes them, and what it answers.

    `labels` are as the target holds them (numbers, strings, booleans), sorted as scikit-learn's `classes_`; empty for
    regression. `label_names` are words for them in the same order ("malignant"), equal to str(label) where unknown.
    """

    task: str
    target: str
    fields: tuple[Field, ...]
    labels: tuple[int | float | str | bool, ...] = ()
    label_names: tuple[str, ...] = ()
    positive: int | float | str | bool | None = None
