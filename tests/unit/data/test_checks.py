"""The user's own rules, with pandera and without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trilho import data
from trilho.errors import BadData, ChecksFailed

ROWS = "age,plan,code,y\n31,basic,A1,yes\n-5,gold,B2,no\n200,basic,A1,yes\n,free,x9,no\n"
WITHOUT = """
import sys
from pathlib import Path

for name in [name for name in sys.modules if name.split(".")[0] == "pandera"] + ["pandera"]:
    sys.modules[name] = None
from trilho import data
from trilho.errors import MissingExtra

data.load("a.csv", target="y", root=Path(sys.argv[1]))
try:
    data.load("a.csv", target="y", root=Path(sys.argv[1]), checks={"age": {"min": 0}})
except MissingExtra as error:
    print(error.what, error.remedy)
"""


def load(folder: Path, checks: dict[str, Any]) -> data.Dataset:
    pytest.importorskip("pandera", reason="pip install 'trilho[checks]'")
    (folder / "a.csv").write_text(ROWS, encoding="utf-8")
    return data.load("a.csv", target="y", root=folder, checks=checks)


def test_rules_that_hold_change_nothing(tmp_path: Path) -> None:
    checks = {
        "age": {"min": -5, "max": 200, "between": [-5, 200]},  # a gap is no mistake unless nullable says so
        "plan": {"in": ["basic", "gold", "free"], "matches": "[a-z]+$", "nullable": False},
        "y": {"in": ["yes", "no"], "unique": False, "nullable": True},
    }
    assert load(tmp_path, checks).frame.equals(load(tmp_path, {}).frame)


def test_every_broken_rule_is_reported_with_its_rows(tmp_path: Path) -> None:
    checks = {
        "age": {"min": 0, "max": 120, "nullable": False, "between": [0, 150]},
        "plan": {"in": ["basic", "gold"], "unique": True},
        "code": {"matches": "[A-Z][0-9]$"},
    }
    with pytest.raises(ChecksFailed) as caught:
        load(tmp_path, checks)
    assert caught.value.what == "a.csv: 7 checks of data.checks failed."
    assert caught.value.why.splitlines() == [
        "  age   nullable false   1 row: nan on line 5",
        "  age   min 0   1 row: -5.0 on line 3",
        "  age   max 120   1 row: 200.0 on line 4",
        "  age   between [0, 150]   2 rows: -5.0, 200.0 on line 3, line 4",
        "  plan   unique true   2 rows: 'basic' on line 2, line 4",
        "  plan   in ['basic', 'gold']   1 row: 'free' on line 5",
        "  code   matches [A-Z][0-9]$   1 row: 'x9' on line 5",
    ]


def test_a_rule_that_cannot_be_applied_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ChecksFailed, match="plan   min 3   cannot be applied"):
        load(tmp_path, {"plan": {"min": 3}})


def test_mistakes_in_the_rules_are_told_before_any_row_is_checked(tmp_path: Path) -> None:
    checks: dict[str, Any] = {
        "agee": {"min": 0},
        "age": {"maximum": 3, "unique": "yes", "between": 3, "min": [1]},
        "plan": {"in": "basic"},
        "code": {"matches": "["},
        "y": 3,
    }
    with pytest.raises(BadData) as caught:
        load(tmp_path, checks)
    for reason in (
        "names column 'agee', which does not exist. Did you mean 'age'?",
        "data.checks.age has no rule 'maximum'",
        "data.checks.age.unique is 'yes'; it must be true or false",
        "data.checks.age.between is 3; it must be [least, most]",
        "data.checks.age.min is [1]; it must be one value",
        "data.checks.plan.in is 'basic'; it must be a list of values",
        "data.checks.code.matches is '['; it must be a regular expression",
        "data.checks.y is 3; it must be a mapping of rules",
    ):
        assert reason in caught.value.why


def test_without_pandera_only_checks_need_it_and_name_the_install_line(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(ROWS, encoding="utf-8")
    command = [sys.executable, "-c", WITHOUT, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == 'pandera is not installed. pip install "trilho[checks]"'
