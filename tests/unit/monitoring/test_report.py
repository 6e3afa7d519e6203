from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shipped import Shipped
from trilho.errors import JournalUnreadable
from trilho.monitoring import Report
from unit.monitoring.windows import journaled, report, trained, without_features


def test_report_reads_back_as_it_was(shipped: Shipped) -> None:
    frame = trained(shipped)
    for found in (report(shipped, journaled(shipped, frame)), report(shipped, journaled(shipped, frame[:50]))):
        assert Report.from_json(found.to_json()) == found


def test_json_says_the_verdicts_too(words: Shipped) -> None:
    frame = trained(words).assign(plan="new", city="new", street="new")
    facts = json.loads(report(words, journaled(words, frame)).to_json())
    assert (facts["format"], facts["drift"], facts["rows"]) == (1, True, len(frame))
    moved = {column["name"]: column["moved"] for column in facts["columns"]}
    assert [name for name, yes in moved.items() if yes] == [column["name"] for column in facts["columns"][:3]]
    assert facts["columns"][0]["effect"] > 1


def test_json_of_too_few_rows_has_no_verdict(numbers: Shipped) -> None:
    facts = json.loads(report(numbers, journaled(numbers, trained(numbers)[:9])).to_json())
    assert (facts["drift"], facts["prediction_drift"]) == (None, None)


def test_json_where_no_feature_is_in_the_journal_has_no_verdict_on_drift_but_one_on_the_answers(
    numbers: Shipped,
) -> None:
    quiet, surer = (journaled(numbers, frame) for frame in (numbers.frame, trained(numbers) * 5))
    found = [json.loads(report(numbers, without_features(rows)).to_json()) for rows in (quiet, surer)]
    assert [(facts["drift"], facts["prediction_drift"]) for facts in found] == [(None, False), (None, True)]
    one = report(numbers, replace(without_features(quiet), columns={"mean area": quiet.columns["mean area"]}))
    assert one.facts()["drift"] is False, "one column is enough for a verdict"


def test_two_hundred_columns_are_a_small_file(shipped: Shipped) -> None:
    found = report(shipped, journaled(shipped, trained(shipped)))
    assert len(found.to_json()) < 3000 * (len(found.columns) + 5)


@pytest.mark.parametrize("cut", [0.0, 0.3, 0.99])
def test_report_cut_off_is_an_error_that_says_what_to_do(numbers: Shipped, cut: float) -> None:
    text = report(numbers, journaled(numbers, trained(numbers))).to_json()
    with pytest.raises(JournalUnreadable, match="trilho monitor"):
        Report.from_json(text[: int(len(text) * cut)])


@pytest.mark.parametrize("text", [b"\xff\xfe", "[]", "{}", '{"format": 1}', '{"format": "1"}', "null"])
def test_what_is_no_report_is_an_error(text: str | bytes) -> None:
    with pytest.raises(JournalUnreadable):
        Report.from_json(text)


def test_report_of_a_newer_format_asks_for_an_upgrade() -> None:
    with pytest.raises(JournalUnreadable, match="Upgrade"):
        Report.from_json('{"format": 2, "whatever": []}')


def test_share_is_of_the_columns_that_can_be_judged(words: Shipped) -> None:
    rows = journaled(words, trained(words).assign(plan="new"))
    two = replace(rows, columns={name: rows.columns[name] for name in ("plan", "age")})
    assert report(words, two, share=0.5).drift, "one of the two that the journal keeps"
    assert not report(words, rows, share=0.5).drift
