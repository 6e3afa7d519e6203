"""What every source yields: a table with a kind for each column and a fingerprint of its content."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "category", "boolean", "text", "time", "image"]
KINDS: tuple[Kind, ...] = ("number", "category", "boolean", "text", "time", "image")


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column of a data set.

    `nullable` says whether the data had missing values in it; `values` holds the categories seen, in sorted order, for
    the kinds category and boolean, and is empty for all others.
    """

    name: str
    kind: Kind
    nullable: bool = False
    values: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """Rows with known columns.

    `frame` holds exactly the columns of `columns`, in that order, target included. `fingerprint` names the content:
    equal content, equal fingerprint, wherever it lies.
    """

    name: str
    source: str
    fingerprint: str
    frame: pd.DataFrame
    columns: tuple[Column, ...]
    target: str
    label_names: tuple[str, ...] = ()  # what the labels mean, in the order of the sorted labels; empty when unknown

    @property
    def features(self) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.name != self.target)
