from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho.errors import BadData
from trilho.gates import Verdict, judge, verdicts_from_json, verdicts_to_json
from unit.gates.cases import evidence, pair, rule

finite = st.floats(allow_nan=False, allow_infinity=False)
verdicts = st.builds(
    Verdict,
    gate=st.text(min_size=1),
    outcome=st.sampled_from(["pass", "fail", "not comparable"]),
    reason=st.text(),
    measured=st.none() | finite,
    required=st.none() | finite,
    interval=st.none() | st.tuples(finite, finite),
    detectable=st.none() | finite,
    remedy=st.text(),
    setting=st.text(),
)


@given(st.lists(verdicts))
def test_verdicts_come_back_as_they_were(found: list[Verdict]) -> None:
    assert verdicts_from_json(verdicts_to_json(found)) == tuple(found)


def test_judged_verdicts_fit_a_registry_tag() -> None:
    found = judge(evidence(pair(200, wins=5)), rule(thresholds={"f1": 0.5}))
    text = verdicts_to_json(found)
    assert verdicts_from_json(text) == found
    assert len(text) < 5000


def test_zero_is_kept_and_nothing_is_left_out() -> None:
    (item,) = json.loads(verdicts_to_json([Verdict(gate="g", outcome="pass", reason="", measured=0.0)]))
    assert item == {"gate": "g", "outcome": "pass", "reason": "", "measured": 0.0}


def test_fields_of_a_newer_trilho_are_passed_over() -> None:
    text = '[{"gate": "g", "outcome": "pass", "reason": "r", "colour": "red"}]'
    assert verdicts_from_json(text) == (Verdict(gate="g", outcome="pass", reason="r"),)


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", '[{"gate": "g"}]', "3", '[{"gate":"g","outcome":"x","reason":"","interval":[1]}]']
)
def test_damaged_text_is_an_error_with_a_way_out(text: str) -> None:
    with pytest.raises(BadData, match="cannot be read") as caught:
        verdicts_from_json(text)
    assert caught.value.remedy
