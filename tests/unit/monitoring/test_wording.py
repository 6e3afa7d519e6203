from __future__ import annotations

import doctest

import pytest

from shipped import Shipped
from trilho.cli.watched import show, worded
from trilho.monitoring import Check, ColumnReport, Effect, Histogram, Report, wording
from trilho.monitoring.html import render
from unit.monitoring.windows import SINCE, UNTIL, journaled, report, reports, trained, without_features


def column(method: str, value: float, *, significant: bool = True, missing: float = 0.0) -> ColumnReport:
    effect = Effect(method=method, value=value, threshold=0.1)
    check = Check(question="values", test="x", p_value=0.5, adjusted=0.5, significant=significant, effects=(effect,))
    nothing = Histogram(reference=(), current=())
    return ColumnReport(
        name="x",
        kind="number",
        rows=1,
        reference_rows=1,
        missing=missing,
        checks=(check,),
        histogram=nothing,
        since=SINCE + 3600 if significant else None,
    )


def about(*columns: ColumnReport, importance: dict[str, float] | None = None) -> Report:
    return Report(
        model="tried",
        version="3",
        since=SINCE,
        until=UNTIL,
        rows=500,
        columns=columns,
        predicted=(),
        share=0.3,
        min_rows=100,
        alpha=0.01,
        importance=importance or {},
    )


@pytest.mark.parametrize(
    ("method", "value", "words"),
    [
        ("wasserstein", 0.425, "values moved by 0.42 standard deviations; 0.1 is allowed"),
        ("population_stability", 1.5, "values are spread otherwise: stability index 1.50; 0.1 is allowed"),
        ("jensen_shannon", 0.2, "shares are others: they differ by 0.20 on a scale from 0 to 1; 0.1 is allowed"),
        ("missing_share", 0.3, "missing in 35% of the rows, in training 5.0%; a change of 10% is allowed"),
        ("out_of_range", 0.3, "30% of the rows lie outside the range of training; 10% is allowed"),
        ("new_categories", 0.3, "30% of the rows are in categories that training never saw; 10% is allowed"),
    ],
)
def test_an_effect_has_the_same_words_on_the_terminal_and_on_the_page(method: str, value: float, words: str) -> None:
    moved = column(method, value, missing=0.35)
    assert worded(moved, about(moved)) == f"{words}; since 2026-01-01 01:00"
    assert f"{words[0].upper()}{words[1:]}." in render(about(moved))
    by_chance = column(method, value, significant=False, missing=0.35)
    assert worded(by_chance, about(by_chance)) == f"{words}; chance could do that"


def test_importance_of_a_moved_column_is_told(numbers: Shipped) -> None:
    moved = column("wasserstein", 0.5)
    told = about(moved, importance={"x": 0.02, "y": 0.1})
    assert worded(moved, told).endswith("; 2nd of 2 in importance to the model")
    assert "2nd of 2 in importance to the model." in render(told)
    assert "importance" not in render(about(moved))


@pytest.mark.parametrize(
    ("place", "words"),
    [(1, "1st of 130"), (2, "2nd of"), (3, "3rd of"), (11, "11th of"), (113, "113th of"), (122, "122nd of")],
)
def test_places_are_counted_as_people_do(place: int, words: str) -> None:
    importance = {f"c{rank}": 1 / rank for rank in range(1, 131)}
    assert wording.importance_words(importance, f"c{place}").startswith(words)


def test_labels_are_called_by_their_names(numbers: Shipped) -> None:
    made = report(numbers, journaled(numbers, trained(numbers)))
    assert made.label_names == {"0": "0", "1": "1"}, "the schema of this bundle knows no better"
    from msgspec.structs import replace

    page = render(replace(made, label_names={"0": "malignant", "1": "benign"}))
    assert "malignant (0)" in page
    assert "benign (1)" in page


def test_terminal_says_that_drift_is_unknown_and_what_the_answers_did(
    numbers: Shipped, capsys: pytest.CaptureFixture[str]
) -> None:
    rows, older = (journaled(numbers, numbers.frame, version=version) for version in ("3", "2"))
    found = reports(numbers, without_features(rows), without_features(older), versions=("2", "3"))
    show(found, UNTIL - SINCE)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    why = "no column is in enough of the journal's rows (journal.columns)"
    assert ["drift", "unknown", *why.split()] in lines
    assert ["v2", "unknown", *f"{why}; {len(numbers.frame)} predictions by it".split()] in lines
    assert ["score", "steady"] in [line[:2] for line in lines]


def test_examples_run() -> None:
    assert doctest.testmod(wording).failed == 0
