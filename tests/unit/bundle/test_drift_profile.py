from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from trilho import bundle
from trilho.bundle import CategoryCounts, DriftProfile, NumberCounts
from trilho.bundle import columns as canonical
from trilho.bundle.drift_profile import count_column
from trilho.errors import BundleDamaged
from unit.bundle.tables import columns_of, mixed

frame, _ = mixed(500)
schema = bundle.describe(frame, columns_of(frame), task="classification", target="y", labels=["a", "b"], positive="b")
whole = canonical.columns_of(frame, schema.fields)
reference = bundle.profile(whole, schema)

numbers = arrays.arrays(
    np.float64, st.integers(0, 60), elements=st.floats(-1e6, 1e6) | st.just(np.nan) | st.sampled_from([0.0, 1.0])
)
words = st.lists(st.sampled_from(["a", "b", "Recife", "", None]), max_size=60).map(
    lambda found: np.array(found, dtype=object)
)


def column(name: str) -> NumberCounts | CategoryCounts:
    return next(column for column in reference.columns if column.name == name)


@settings(deadline=None)
@given(numbers, numbers)
def test_merged_counts_are_the_counts_of_all_rows_for_numbers(first: np.ndarray, second: np.ndarray) -> None:
    edges = NumberCounts(name="x", edges=(-5.0, 0.0, 1.0, 7.5), counts=(), atoms=(0.0, 1.0))
    parts = [DriftProfile(rows=len(values), columns=(count_column(edges, values),)) for values in (first, second)]
    both = np.concatenate([first, second])
    assert bundle.merge(*parts) == DriftProfile(rows=len(both), columns=(count_column(edges, both),))


@settings(deadline=None)
@given(words, words)
def test_merged_counts_are_the_counts_of_all_rows_for_categories(first: np.ndarray, second: np.ndarray) -> None:
    known = CategoryCounts(name="x", values=("Recife", "a"), counts=())
    parts = [DriftProfile(rows=len(values), columns=(count_column(known, values),)) for values in (first, second)]
    both = np.concatenate([first, second])
    assert bundle.merge(*parts) == DriftProfile(rows=len(both), columns=(count_column(known, both),))


@settings(deadline=None)
@given(numbers)
def test_every_row_is_counted_once(values: np.ndarray) -> None:
    counted = count_column(column("income"), values)
    assert isinstance(counted, NumberCounts)
    assert sum(counted.counts) + counted.missing == len(values)


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 499))
def test_a_profile_of_the_training_rows_is_the_sum_of_its_parts(border: int) -> None:
    parts = [
        bundle.count(reference, {name: values[part] for name, values in whole.items()}, schema)
        for part in (slice(None, border), slice(border, None))
    ]
    assert bundle.merge(*parts) == reference


def test_a_count_at_an_edge_is_the_distribution_function_there() -> None:
    income = column("income")
    assert isinstance(income, NumberCounts)
    known = whole["income"][~np.isnan(whole["income"])]
    for place in (0, 10, 50, len(income.edges) - 1):
        assert sum(income.counts[: place + 1]) == (known <= income.edges[place]).sum()


def test_a_frequent_value_is_an_atom_and_an_edge() -> None:
    values = np.concatenate([np.zeros(90), np.linspace(1, 2, 210)])
    one = replace(schema, fields=(bundle.Field(name="x", kind="number", nullable=True, dtype="float64"),))
    found = bundle.profile({"x": values}, one).columns[0]
    assert isinstance(found, NumberCounts)
    assert found.atoms == (0.0,)
    assert found.atom_counts == (90,)
    assert 0.0 in found.edges


def test_values_outside_the_training_range_have_places_of_their_own() -> None:
    income = column("income")
    assert isinstance(income, NumberCounts)
    counted = count_column(income, np.array([-1e9, 1e9, np.nan]))
    assert isinstance(counted, NumberCounts)
    assert (counted.counts[0], counted.counts[-1], counted.missing) == (1, 1, 1)


def test_new_categories_are_counted_as_other() -> None:
    counted = count_column(column("plan"), np.array(["a", "never seen", None], dtype=object))
    assert isinstance(counted, CategoryCounts)
    assert (sum(counted.counts), counted.other, counted.missing) == (1, 1, 1)


def test_a_column_that_was_empty_in_training_still_counts() -> None:
    one = replace(schema, fields=(bundle.Field(name="x", kind="number", nullable=True, dtype="float64"),))
    empty = bundle.profile({"x": np.array([np.nan, np.nan])}, one)
    counted = bundle.count(empty, {"x": np.array([1.0, 2.0])}, one).columns[0]
    assert isinstance(counted, NumberCounts)
    assert (counted.edges, counted.counts, counted.missing) == ((), (2,), 0)


def test_texts_are_counted_by_length_times_as_seconds_images_not_at_all() -> None:
    fields = (
        bundle.Field(name="note", kind="text", nullable=True, dtype="str"),
        bundle.Field(name="day", kind="time", nullable=True, dtype="datetime64[ns]"),
        bundle.Field(name="scan", kind="image", nullable=False),
    )
    columns = {
        "note": np.array(["a", "abc", None], dtype=object),
        "day": np.array(["1970-01-01T00:00:01", "1970-01-01T00:00:09", "NaT"], dtype="datetime64[ns]"),
        "scan": np.array([0, 0, 0]),
    }
    note, day = bundle.profile(columns, replace(schema, fields=fields)).columns
    assert isinstance(note, NumberCounts)
    assert isinstance(day, NumberCounts)
    assert (note.edges[0], note.edges[-1], note.missing) == (1.0, 3.0, 1)
    assert (day.edges[0], day.edges[-1], day.missing) == (1.0, 9.0, 1)


def test_answers_are_counted_by_label_and_by_the_positive_labels_probability() -> None:
    labels = np.array(["a", "b", "b"], dtype=object)
    prediction, score = bundle.profile_predictions(labels, np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]]), schema)
    assert isinstance(prediction, CategoryCounts)
    assert dict(zip(prediction.values, prediction.counts, strict=True)) == {"a": 1, "b": 2}
    assert isinstance(score, NumberCounts)
    assert (score.edges[0], score.edges[-1]) == (0.1, 0.8)


def test_of_several_labels_the_greatest_probability_is_counted_and_of_numbers_the_number() -> None:
    three = replace(schema, labels=("a", "b", "c"), label_names=("a", "b", "c"), positive=None)
    _, score = bundle.profile_predictions(np.array(["a"], dtype=object), np.array([[0.5, 0.3, 0.2]]), three)
    assert isinstance(score, NumberCounts)
    assert score.edges == (0.5,)
    (number,) = bundle.profile_predictions(np.array([1.5, 2.5]), None, replace(schema, labels=(), label_names=()))
    assert isinstance(number, NumberCounts)
    assert number.edges == (1.5, 2.5)


def test_a_profile_reads_back_equal() -> None:
    both = replace(reference, predicted=bundle.profile_predictions(np.array(["a"], dtype=object), None, schema))
    assert DriftProfile.from_json(both.to_json()) == both


@pytest.mark.parametrize("text", ["", "{}", '{"format": 9, "rows": 0, "columns": [], "predicted": []}'])
def test_what_is_no_profile_of_ours_is_refused(text: str) -> None:
    with pytest.raises(BundleDamaged):
        DriftProfile.from_json(text)


def test_profiles_with_other_edges_do_not_add_up() -> None:
    other = bundle.profile({name: values[:100] for name, values in whole.items()}, schema)
    with pytest.raises(ValueError, match="same edges"):
        bundle.merge(reference, other)
