from __future__ import annotations

import pytest

from trilho.project.env_file import parse_env_file
from trilho.project.mistakes import Mistake


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=1", "1"),
        ("export A=1", "1"),
        ("  A = 1  ", "1"),
        ("A=", ""),
        ("A=#none", "#none"),
        ("A=one two # a comment", "one two"),
        ("A=one#two", "one#two"),
        ("A='one # two'", "one # two"),
        ("A='$NAME \\n'  # kept as it is", "$NAME \\n"),
        ('A="one\\ntwo \\"three\\""', 'one\ntwo "three"'),
        ('A="first\nsecond"', "first\nsecond"),
        ("A=it's", "it's"),
        ("A=postgresql://u:p@h/db?x=1", "postgresql://u:p@h/db?x=1"),
        ("A=1\r\n", "1"),
    ],
)
def test_a_value_is_read_as_other_tools_read_it(line: str, value: str) -> None:
    mistakes: list[Mistake] = []
    assert parse_env_file(line, mistakes).values == {"A": value}
    assert mistakes == []


def test_every_name_knows_its_line_and_the_last_value_counts() -> None:
    found = parse_env_file('# keys\n\nA="x\ny"\nB=1\n  # more\nA=2', [])
    assert found.values == {"A": "2", "B": "1"}
    assert found.lines == {"A": 7, "B": 5}


def test_a_line_that_is_no_assignment_is_a_mistake_and_the_others_are_read() -> None:
    mistakes: list[Mistake] = []
    found = parse_env_file("A=1\nnot an assignment\nB=2", mistakes)
    assert found.values == {"A": "1", "B": "2"}
    assert [mistake.origin.line for mistake in mistakes] == [2]
    assert "assignment" not in str(mistakes[0])
