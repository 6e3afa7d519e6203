from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shipped import Shipped
from trilho import bundle
from trilho.bundle import CategoryCounts, Field
from trilho.monitoring.counting import Tally, answers_of
from unit.monitoring.counted import numbers
from unit.monitoring.windows import journaled, reference

VALUES = st.lists(st.one_of(st.floats(-5, 5), st.integers(-3, 3).map(float), st.just(float("nan"))), max_size=60)


def test_counts_are_those_of_the_bundle(shipped: Shipped) -> None:
    found = reference(shipped)
    rows = journaled(shipped, shipped.frame)
    fields = {field.name: field for field in found.schema.fields}
    wanted = bundle.count(found.profile, rows.columns, found.schema)
    for column, truth in zip(found.profile.columns, wanted.columns, strict=True):
        tally = Tally(column, 1, fields[column.name])
        tally.add(0, rows.columns[column.name])
        assert tally.counts() == truth
    answers = answers_of(rows.labels, rows.probabilities, found.schema)
    wanted_answers = bundle.count_predictions(found.profile.predicted, rows.labels, rows.probabilities, found.schema)
    for column, truth in zip(found.profile.predicted, wanted_answers, strict=True):
        tally = Tally(column, 1)
        values = answers[column.name]
        assert values is not None
        tally.add(0, values)
        assert tally.counts() == truth


@settings(deadline=None)
@given(VALUES, VALUES)
def test_numbers_are_counted_one_by_one(training: list[float], values: list[float]) -> None:
    before, wanted = numbers(training, values)
    tally = Tally(before, 1)
    tally.add(0, np.array(values, dtype=np.float64))
    assert tally.counts() == wanted


@given(VALUES, VALUES)
def test_counts_of_parts_add_up(training: list[float], values: list[float]) -> None:
    [before] = numbers(training)
    whole, parts = Tally(before, 1), Tally(before, 3)
    whole.add(0, np.array(values))
    for place in range(3):
        parts.add(place, np.array(values)[place::3])
    assert parts.counts() == whole.counts()


CATEGORIES = CategoryCounts(name="c", values=("a", "true", "3"), counts=(5, 4, 3))


@pytest.mark.parametrize(
    ("field", "values", "counts"),
    [
        (Field(name="c", kind="category", nullable=True), np.array(["a", None, "z", "a"], object), (2, 0, 0, 1, 1)),
        (Field(name="c", kind="boolean", nullable=True), np.array([1.0, 0.0, np.nan, 1.0]), (0, 2, 0, 1, 1)),
        (Field(name="c", kind="category", nullable=True, dtype="int64"), np.array([3.0, 3.0, np.nan]), (0, 0, 2, 0, 1)),
        (Field(name="c", kind="category", nullable=True), np.array([], dtype=object), (0, 0, 0, 0, 0)),
    ],
)  # fmt: skip
def test_categories_are_counted_by_their_words(field: Field, values: np.ndarray, counts: tuple[int, ...]) -> None:
    tally = Tally(CATEGORIES, 1, field)
    tally.add(0, values)
    found = tally.counts()
    assert isinstance(found, CategoryCounts)
    assert (*found.counts, found.other, found.missing) == counts


def test_texts_are_counted_by_their_length() -> None:
    [before] = numbers([1.0, 2.0, 3.0])
    tally = Tally(before, 1, Field(name="x", kind="text", nullable=True))
    tally.add(0, np.array(["é", "ab", None, "çççç"], dtype=object))
    assert (tally.counts().counts, tally.counts().missing) == ((1, 1, 0, 1), 1)


def test_column_of_nothing_but_nulls_is_missing() -> None:
    """However the journal wrote it: as numbers, or as words that are all null."""
    [before] = numbers([1.0, 2.0, 3.0])
    field = Field(name="x", kind="number", nullable=True)
    for values in (np.full(4, np.nan), np.full(4, None, dtype=object)):
        tally = Tally(before, 1, field)
        tally.add(0, values)
        assert (sum(tally.counts().counts), tally.counts().missing) == (0, 4)


@pytest.mark.parametrize(
    "labels", [np.array([1, 0, 1]), np.array([True, False, True]), np.array(["b", "a", "b"], object)]
)
def test_labels_are_counted_by_their_text(labels: Any) -> None:
    values = tuple(sorted({str(label) for label in labels.tolist()}))
    tally = Tally(CategoryCounts(name="prediction", values=values, counts=(1, 1)), 1)
    tally.add(0, labels)
    assert tally.counts().counts == (1, 2)


def test_score_is_the_positive_labels_probability(numbers: Shipped) -> None:
    schema = numbers.schema
    two = np.array([[0.2, 0.8], [0.6, 0.4]])
    score = answers_of(np.array([1, 0]), two, schema)["score"]
    assert score is not None
    place = schema.labels.index(schema.positive) if schema.positive in schema.labels else 1
    assert score.tolist() == two[:, place].tolist()
    assert answers_of(np.array([1]), None, schema)["score"] is None
    assert answers_of(np.array([1]), np.ones((1, 3)), schema)["score"] is None, "of another model's labels"


def test_frames_of_any_length_are_counted(words: Shipped) -> None:
    found = reference(words)
    field = next(field for field in found.schema.fields if field.name == "city")
    column = next(column for column in found.profile.columns if column.name == "city")
    tally = Tally(column, 1, field)
    tally.add(0, journaled(words, pd.concat([words.frame] * 3)).columns["city"])
    assert tally.counts().missing == 3 * int(words.frame["city"].isna().sum())
