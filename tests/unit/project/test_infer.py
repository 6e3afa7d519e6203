"""What is inferred from a table: each decision, and the reason that is written beside it."""

from __future__ import annotations

from typing import Any

import pytest

from trilho.errors import BadData
from trilho.project.infer import ColumnFacts, Inferred, infer

AGE = ColumnFacts(name="age", kind="number", distinct=60, whole=True, deviation=15.0)
CHURN = ColumnFacts(name="churn", kind="category", distinct=2, labels={"no": 800, "yes": 200})


def inferred(*columns: ColumnFacts, target: ColumnFacts = CHURN, rows: int = 1000) -> Inferred:
    return infer([*columns, target], target=target.name, rows=rows)


@pytest.mark.parametrize(
    ("facts", "task"),
    [
        ({"kind": "number", "distinct": 900, "whole": False}, "regression"),
        ({"kind": "number", "distinct": 21, "whole": True}, "regression"),
        ({"kind": "number", "distinct": 20, "whole": True}, "classification"),
        ({"kind": "number", "distinct": 2, "whole": True, "labels": {0: 500, 1: 500}}, "classification"),
        ({"kind": "number", "distinct": 11, "whole": False}, "regression"),
        ({"kind": "category", "distinct": 30}, "classification"),
        ({"kind": "boolean", "distinct": 2, "labels": {False: 5, True: 995}}, "classification"),
    ],
)
def test_numbers_with_many_values_are_regressed_and_all_else_is_classified(facts: dict[str, Any], task: str) -> None:
    found = inferred(AGE, target=ColumnFacts(name="y", **facts))
    assert found.task.value == task
    assert str(facts["distinct"]) in found.task.why
    assert found.estimator.value.endswith("Regressor" if task == "regression" else "Classifier")
    assert found.primary_metric.value == ("rmse" if task == "regression" else "f1")
    assert found.primary_metric.value in found.metrics


@pytest.mark.parametrize(
    "target",
    [
        ColumnFacts(name="y", kind="text", distinct=990),
        ColumnFacts(name="y", kind="time", distinct=990),
        ColumnFacts(name="y", kind="category", distinct=501),
    ],
)
def test_a_target_that_cannot_be_learned_is_refused(target: ColumnFacts) -> None:
    with pytest.raises(BadData, match="'y' cannot be predicted") as caught:
        inferred(AGE, target=target)
    assert "--target COLUMN" in caught.value.remedy


@pytest.mark.parametrize(
    ("labels", "positive", "why"),
    [
        ({"no": 800, "yes": 200}, "yes", "says yes"),
        ({"Yes": 800, "No": 200}, "Yes", "says yes"),
        ({0: 100, 1: 900}, 1, "says yes"),
        ({0.0: 100, 1.0: 900}, 1.0, "says yes"),
        ({False: 1, True: 999}, True, "says yes"),
        ({"não": 900, "sim": 100}, "sim", "says yes"),
        ({"good": 700, "bad": 300}, "bad", "rarer"),
        ({"M": 500, "B": 500}, "M", "as frequent"),
        ({1: 600, 2: 400}, 2, "rarer"),
        ({-1: 600, 1: 400}, 1, "says yes"),
    ],
)
def test_the_positive_label_says_yes_or_is_the_rarer_one(labels: dict[Any, int], positive: Any, why: str) -> None:
    target = ColumnFacts(name="y", kind="category", distinct=2, labels=labels)
    choice = inferred(AGE, target=target).positive_class
    assert choice is not None
    assert choice.value == positive
    assert type(choice.value) is type(positive)
    assert why in choice.why


def test_three_labels_and_numbers_have_no_positive_one() -> None:
    three = ColumnFacts(name="y", kind="category", distinct=3, labels={"a": 300, "b": 300, "c": 400})
    assert inferred(AGE, target=three).positive_class is None
    assert inferred(AGE, target=ColumnFacts(name="y", kind="number", distinct=900)).positive_class is None


@pytest.mark.parametrize(
    ("column", "why"),
    [
        (ColumnFacts(name="customer", kind="text", distinct=1000), "names the row"),
        (ColumnFacts(name="customer_id", kind="number", distinct=1000, whole=True), "names the row"),
        (ColumnFacts(name="customerID", kind="number", distinct=990, missing=10, whole=True), "names the row"),
        (ColumnFacts(name="Unnamed: 0", kind="number", distinct=1000, whole=True), "names the row"),
        (ColumnFacts(name="n", kind="number", distinct=1000, whole=True, rising=True), "names the row"),
        (ColumnFacts(name="note", kind="text", distinct=700), "free text"),
        (
            ColumnFacts(name="day", kind="text", distinct=1000, reads_as="dates", example="31/01/2026"),
            "dates such as 31/",
        ),
        (
            ColumnFacts(name="day", kind="category", distinct=90, reads_as="dates", example="31/01/2026"),
            "dates such as",
        ),
        (
            ColumnFacts(name="fee", kind="text", distinct=900, reads_as="numbers", example="R$ 3,50"),
            "numbers such as R$ 3,50",
        ),
        (ColumnFacts(name="since", kind="time", distinct=900), "a time"),
        (ColumnFacts(name="photo", kind="image", distinct=900), "images"),
        (ColumnFacts(name="country", kind="category", distinct=1), "the same value"),
        (ColumnFacts(name="empty", kind="number", distinct=0, missing=1000), "no value"),
    ],
)
def test_a_column_that_cannot_help_is_left_out_with_its_reason(column: ColumnFacts, why: str) -> None:
    found = inferred(AGE, column)
    assert list(found.drop) == [column.name]
    assert why in found.drop[column.name]
    assert column.name not in found.kinds


def test_numbers_that_are_taken_as_words_are_noted() -> None:
    tax = ColumnFacts(name="tax", kind="category", distinct=16, reads_as="numbers", example="1.8%")
    found = inferred(AGE, tax)
    assert found.kinds == {"tax": "category"}
    assert "tax holds numbers such as 1.8%" in found.notes[0]


@pytest.mark.parametrize(
    "column",
    [
        ColumnFacts(name="income", kind="number", distinct=1000),  # a measure is unique too
        ColumnFacts(name="paid", kind="number", distinct=700, whole=True),
        ColumnFacts(name="customer_id", kind="number", distinct=300, whole=True),  # it repeats: it may say something
        ColumnFacts(name="called", kind="boolean", distinct=1, missing=400),  # there or not there is news
        ColumnFacts(name="plan", kind="category", distinct=3),
    ],
)
def test_a_column_that_may_help_is_kept(column: ColumnFacts) -> None:
    assert inferred(AGE, column).drop == {}


def test_features_that_are_no_numbers_are_written_with_their_kind() -> None:
    found = inferred(
        AGE,
        ColumnFacts(name="plan", kind="category", distinct=3),
        ColumnFacts(name="active", kind="boolean", distinct=2),
    )
    assert found.kinds == {"plan": "category", "active": "boolean"}
    assert found.numbers == 1


def test_a_table_of_identifiers_alone_is_refused_with_all_reasons() -> None:
    with pytest.raises(BadData, match="No column is left") as caught:
        inferred(ColumnFacts(name="id", kind="text", distinct=1000), ColumnFacts(name="c", kind="number", distinct=1))
    assert "id: another value in every row" in caught.value.why
    assert "c: the same value" in caught.value.why


def test_a_rare_label_is_split_by_strata() -> None:
    rare = ColumnFacts(name="y", kind="category", distinct=2, labels={"a": 980, "b": 20})
    split = inferred(AGE, target=rare).split
    assert split.value["method"] == "stratified"
    assert "20 rows" in split.why
    assert "method" not in inferred(AGE).split.value


def test_few_rows_are_told_what_comparing_asks_for() -> None:
    small = ColumnFacts(name="y", kind="category", distinct=2, labels={"a": 60, "b": 60})
    found = inferred(AGE, target=small, rows=120)
    assert found.split.value["test_size"] == 0.3
    assert "36 to test on" in found.notes[0]
    assert inferred(AGE).notes == ()


def test_the_margin_of_a_regression_is_in_the_targets_unit() -> None:
    price = ColumnFacts(name="price", kind="number", distinct=900, deviation=123_456.0)
    assert inferred(AGE, target=price).margin.value == 1000.0
    assert inferred(AGE).margin.value == 0.01


def test_many_rows_get_a_forest_that_stays_small() -> None:
    target = ColumnFacts(name="y", kind="category", distinct=2, labels={"a": 1_000_000, "b": 1_000_000})
    assert inferred(AGE, target=target, rows=2_000_000).params.value["min_samples_leaf"] == 400
    assert "min_samples_leaf" not in inferred(AGE).params.value
