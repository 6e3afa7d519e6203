"""What a model takes and gives: its columns with the training data's ranges, its labels with their names."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

from trilho.errors import BundleDamaged

FORMAT = 1  # raised whenever an older trilho could misread the JSON

Label = int | float | str | bool


@dataclass(frozen=True, kw_only=True)
class Field:
    """A feature.

    Args:
        kind: number, category, boolean, text, time or image.
        nullable: Does the model take a missing value here? (Not: did the data have one.)
        closed: Does the model refuse a category that it was not trained on? `values` then holds all it takes.
        dtype: What pandas calls the type of the training column ("float64", "str", "category"); "" for an image.
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
    closed: bool = False
    dtype: str = ""
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
    labels: tuple[Label, ...] = ()
    label_names: tuple[str, ...] = ()
    positive: Label | None = None

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(field.name for field in self.fields)

    def to_json(self) -> str:
        """The schema as text: equal schemas give equal text, and `from_json` gives back an equal schema."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, allow_nan=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> Schema:
        """The schema that `to_json` wrote. Names this version does not know are ignored.

        Raises:
            BundleDamaged: not a schema, or one of a newer format.
        """
        try:
            found = json.loads(text)
            if found["format"] > FORMAT:
                raise BundleDamaged(
                    f"The schema has format {found['format']}; this trilho reads formats up to {FORMAT}.",
                    remedy="Upgrade: pip install -U trilho",
                )
            columns = tuple(Field(**_known(Field, column)) for column in found.pop("fields"))
            return cls(fields=columns, **_known(cls, found))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BundleDamaged(
                f"The schema cannot be read: {type(error).__name__}: {error}",
                remedy="Fetch the bundle again, or build it anew with: trilho run --force",
            ) from error


def _known(kind: type[Field] | type[Schema], found: dict[str, Any]) -> dict[str, Any]:
    """The entries that are fields of `kind`, lists as the tuples they were."""
    names = {field.name for field in fields(kind)}
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items() if name in names}
