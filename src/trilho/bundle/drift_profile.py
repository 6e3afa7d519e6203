"""How the training rows are spread, in whole numbers: what monitoring compares production with.

Counts at fixed edges, so that nothing is estimated twice: a window counted on two machines and added up is exactly the
window counted on one. Numbers are counted between the training data's percentiles, as float64; times as seconds since
1970, texts by their length. A value that holds more than 1 % of the rows is an atom, and counted by itself as well, so
that the distribution function is known on both of its sides. Images are not profiled here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from trilho.bundle.columns import is_null, words
from trilho.bundle.describing import every_value, seconds
from trilho.bundle.schema import Field, Schema
from trilho.errors import BundleDamaged

FORMAT = 1
PREDICTION, SCORE = "prediction", "score"

_EDGES = 101  # percentiles 0 to 100
_ATOM = 0.01  # share of the rows
_MOST_VALUES = 1000


@dataclass(frozen=True, kw_only=True)
class NumberCounts:
    """How many rows lie where, for one column of numbers.

    Args:
        edges: Ascending; the training minimum first, the maximum last.
        counts: One more than edges: of x <= edges[0], of edges[i-1] < x <= edges[i], and of x above the last edge.
        atoms: Values that hold more than 1 % of the training rows; each is an edge, too.
        atom_counts: Rows that hold exactly that value; these are part of `counts`.
        missing: Rows without a value; no part of `counts`.
    """

    name: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    atoms: tuple[float, ...] = ()
    atom_counts: tuple[int, ...] = ()
    missing: int = 0


@dataclass(frozen=True, kw_only=True)
class CategoryCounts:
    """How many rows hold each category (at most the 1,000 most frequent of the training rows), and any other one."""

    name: str
    values: tuple[str, ...]
    counts: tuple[int, ...]
    other: int = 0
    missing: int = 0


ColumnCounts = NumberCounts | CategoryCounts


@dataclass(frozen=True, kw_only=True)
class DriftProfile:
    """Counts of all columns of the same rows.

    Args:
        rows: How many rows the features were counted on.
        columns: In the order of the schema.
        predicted: The model's answers: "prediction" (labels, or numbers for regression) and "score" (the positive
            label's probability, or the greatest one of several). In a bundle they are counted on test rows: on the rows
            it was trained on a model is surer than it will ever be again.
    """

    rows: int
    columns: tuple[ColumnCounts, ...]
    predicted: tuple[ColumnCounts, ...] = ()

    def to_json(self) -> str:
        """The profile as text; `from_json` gives back an equal one."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> DriftProfile:
        """Raises BundleDamaged: not a profile, or one of a newer format."""
        try:
            found = json.loads(text)
            if found["format"] > FORMAT:
                raise BundleDamaged(
                    f"The drift profile has format {found['format']}; this trilho reads up to {FORMAT}.",
                    remedy="Upgrade: pip install -U trilho",
                )
            columns, predicted = (tuple(_column(entry) for entry in found[part]) for part in ("columns", "predicted"))
            return cls(rows=found["rows"], columns=columns, predicted=predicted)
        except (ValueError, TypeError, KeyError) as error:
            raise BundleDamaged(
                f"The drift profile cannot be read: {type(error).__name__}: {error}",
                remedy="Fetch the bundle again, or build it anew with: trilho run --force",
            ) from error


def profile(columns: Mapping[str, np.ndarray], schema: Schema) -> DriftProfile:
    """The profile of training rows: edges, atoms and categories are chosen from them, then counted.

    Args:
        columns: Canonical (`columns.canonical`), as the journal keeps them. Each of shape (n,).
    """
    kept = [field for field in schema.fields if field.kind != "image"]
    empty = tuple(_frame_of_reference(field.name, _countable(field, columns[field.name])) for field in kept)
    rows = len(next(iter(columns.values()), ()))
    return count(DriftProfile(rows=rows, columns=empty), columns, schema)


def count(reference: DriftProfile, columns: Mapping[str, np.ndarray], schema: Schema) -> DriftProfile:
    """Other rows counted at the reference's edges: features only, `predicted` is empty."""
    fields = {field.name: field for field in schema.fields}
    counted = tuple(
        count_column(column, _countable(fields[column.name], columns[column.name])) for column in reference.columns
    )
    return DriftProfile(rows=len(next(iter(columns.values()), ())), columns=counted)


def profile_predictions(
    labels: np.ndarray, probabilities: np.ndarray | None, schema: Schema
) -> tuple[ColumnCounts, ...]:
    """The part `predicted` of a profile, its edges chosen from these answers. Shapes (n,) and (n, k)."""
    answers = _answers(labels, probabilities, schema)
    return tuple(count_column(_frame_of_reference(name, values), values) for name, values in answers.items())


def count_predictions(
    reference: Sequence[ColumnCounts], labels: np.ndarray, probabilities: np.ndarray | None, schema: Schema
) -> tuple[ColumnCounts, ...]:
    """Other answers counted at the reference's edges."""
    answers = _answers(labels, probabilities, schema)
    return tuple(count_column(column, answers[column.name]) for column in reference)


def count_column(reference: ColumnCounts, values: np.ndarray) -> ColumnCounts:
    """One column's values (float64, or objects of str and None) at the reference's edges or categories."""
    if isinstance(reference, CategoryCounts):
        places = {value: place for place, value in enumerate(reference.values)}
        codes = np.fromiter((-2 if v is None else places.get(v, -1) for v in values.tolist()), np.int64, len(values))
        counts = np.bincount(codes + 2, minlength=len(places) + 2).tolist()
        return replace(reference, missing=counts[0], other=counts[1], counts=tuple(counts[2:]))
    known = values[~np.isnan(values)]
    edges = np.array(reference.edges)
    counts = np.bincount(np.searchsorted(edges, known, side="left"), minlength=len(edges) + 1)
    return replace(
        reference,
        counts=tuple(counts.tolist()),
        atom_counts=tuple(int((known == atom).sum()) for atom in reference.atoms),
        missing=len(values) - len(known),
    )


def merge(first: DriftProfile, second: DriftProfile) -> DriftProfile:
    """The counts of both together: what counting all rows at once would have given.

    Raises:
        ValueError: they were not counted at the same edges.
    """
    return DriftProfile(
        rows=first.rows + second.rows,
        columns=tuple(_sum(one, other) for one, other in zip(first.columns, second.columns, strict=True)),
        predicted=tuple(_sum(one, other) for one, other in zip(first.predicted, second.predicted, strict=True)),
    )


# ----------------------------------------------------------------------------------------------------------------------


def _countable(field: Field, values: np.ndarray) -> np.ndarray:
    """A canonical column as what is counted: float64, or objects of str and None."""
    if field.kind == "number":
        return values
    if field.kind == "time":
        return seconds(values)
    if field.kind == "text":
        return np.array([np.nan if value is None else float(len(value)) for value in values], dtype=np.float64)
    return words(field, values)


def _frame_of_reference(name: str, values: np.ndarray) -> ColumnCounts:
    """Edges and atoms, or categories, chosen from these values; not counted yet."""
    known = values[~is_null(values)]
    if values.dtype != np.float64:
        return CategoryCounts(name=name, values=every_value(known)[:_MOST_VALUES], counts=())
    known = known[np.isfinite(known)]
    if not len(known):
        return NumberCounts(name=name, edges=(), counts=())
    distinct, counts = np.unique(known, return_counts=True)
    atoms = distinct[counts > _ATOM * len(known)]
    # Percentiles that are values of the data: no interpolation, so that equal data gives equal edges everywhere.
    edges = np.quantile(known, np.linspace(0.0, 1.0, _EDGES), method="inverted_cdf")
    edges = np.unique(np.concatenate([edges, atoms]))
    return NumberCounts(name=name, edges=tuple(edges.tolist()), counts=(), atoms=tuple(atoms.tolist()))


def _answers(labels: np.ndarray, probabilities: np.ndarray | None, schema: Schema) -> dict[str, np.ndarray]:
    if not schema.labels:
        return {PREDICTION: labels.astype(np.float64)}
    answers = {PREDICTION: np.array([str(label) for label in labels.tolist()], dtype=object)}
    if probabilities is not None:
        two = len(schema.labels) == 2
        place = schema.labels.index(schema.positive) if two and schema.positive in schema.labels else 1
        answers[SCORE] = probabilities[:, place] if two else probabilities.max(axis=1)
    return answers


def _sum(first: ColumnCounts, second: ColumnCounts) -> ColumnCounts:
    if isinstance(first, NumberCounts) and isinstance(second, NumberCounts):
        if (first.name, first.edges, first.atoms) == (second.name, second.edges, second.atoms):
            return replace(
                first,
                counts=_added(first.counts, second.counts),
                atom_counts=_added(first.atom_counts, second.atom_counts),
                missing=first.missing + second.missing,
            )
    elif (
        isinstance(first, CategoryCounts)
        and isinstance(second, CategoryCounts)
        and (first.name, first.values) == (second.name, second.values)
    ):
        return replace(
            first,
            counts=_added(first.counts, second.counts),
            other=first.other + second.other,
            missing=first.missing + second.missing,
        )
    raise ValueError(f"columns '{first.name}' and '{second.name}' were not counted at the same edges")


def _added(first: Sequence[int], second: Sequence[int]) -> tuple[int, ...]:
    return tuple(one + other for one, other in zip(first, second, strict=True))


def _column(entry: dict[str, Any]) -> ColumnCounts:
    facts: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}
    return NumberCounts(**facts) if "edges" in facts else CategoryCounts(**facts)
