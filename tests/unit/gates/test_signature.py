from __future__ import annotations

from trilho.gates import Verdict
from trilho.gates.signature import judge_signature
from unit.gates.cases import evidence, rule

BEFORE = {"age": "number", "city": "category", "note": "text"}


def verdict(schema: dict[str, str], **more: object) -> Verdict:
    (found,) = judge_signature(evidence(schema=schema, **{"champion_schema": BEFORE} | more), rule())
    return found


def test_same_columns_pass() -> None:
    found = verdict(BEFORE)
    assert found.passed
    assert "3 columns" in found.reason


def test_new_required_column_is_refused_and_named() -> None:
    found = verdict(BEFORE | {"income": "number"})
    assert found.outcome == "fail"
    assert "new column income (number) is required" in found.reason
    assert found.remedy


def test_new_column_that_may_be_missing_passes() -> None:
    assert verdict(BEFORE | {"income": "number"}, optional=frozenset({"income"})).passed


def test_removed_column_passes_and_is_named() -> None:
    found = verdict({"age": "number", "city": "category"})
    assert found.passed
    assert "no longer reads note" in found.reason


def test_column_of_another_kind_is_refused_and_named() -> None:
    found = verdict(BEFORE | {"age": "category"})
    assert found.outcome == "fail"
    assert "age was number and is category" in found.reason


def test_category_and_text_are_both_words_to_a_caller() -> None:
    assert verdict(BEFORE | {"city": "text", "note": "category"}).passed


def test_column_that_could_be_null_must_stay_so() -> None:
    found = verdict(BEFORE, champion_optional=frozenset({"age"}))
    assert found.outcome == "fail"
    assert "age could be left out and is now required" in found.reason
    assert verdict(BEFORE, champion_optional=frozenset({"age"}), optional=frozenset({"age"})).passed


def test_many_broken_columns_are_counted_after_the_first_five() -> None:
    found = verdict({f"x{i}": "number" for i in range(200)})
    assert "x4" in found.reason
    assert "x5" not in found.reason
    assert "195 more" in found.reason


def test_first_version_and_unknown_champion_columns_pass() -> None:
    (first,) = judge_signature(evidence(champion=None), rule())
    assert first.passed
    found = verdict(BEFORE, champion_schema=None)
    assert found.passed
    assert "not known" in found.reason
