"""What results look like: in columns, in a pipe, and counted."""

from __future__ import annotations

from dataclasses import replace

import pytest

from trilho.cli import output
from trilho.cli.worded import show_verdicts
from trilho.gates import Verdict


def test_a_table_in_a_pipe_has_a_line_for_each_row_however_long(capsys: pytest.CaptureFixture[str]) -> None:
    why = "a reason " * 40
    output.table({"when": "left", "f1": "right", "why": "left"}, [("today", "1", why), ("yesterday", "0.95", "a\nb")])
    assert capsys.readouterr().out.splitlines() == [
        "when         f1  why",
        f"today         1  {why.strip()}",
        "yesterday  0.95  a b",
    ]


def test_verdicts_stand_in_columns_whatever_their_outcomes(capsys: pytest.CaptureFixture[str]) -> None:
    passed = Verdict(gate="threshold", outcome="pass", reason="REASON")
    show_verdicts([passed, replace(passed, gate="champion", outcome="not comparable")])
    lines = capsys.readouterr().out.splitlines()
    assert [line.index("REASON") for line in lines] == [29, 29]
    show_verdicts([passed])
    assert capsys.readouterr().out == "  threshold  pass  REASON\n"
