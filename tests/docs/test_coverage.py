"""docs/coverage.md names only tests that exist."""

from __future__ import annotations

import ast
import re

from documented import ROOT

NAMED = re.compile(r"tests/[\w/.-]+\.py(?:::\w+)?")


def test_coverage_names_tests_that_exist() -> None:
    named = set(NAMED.findall((ROOT / "docs" / "coverage.md").read_text(encoding="utf-8")))
    assert len(named) > 20
    missing = []
    for path in sorted(named):
        name, _, function = path.partition("::")
        file = ROOT / name
        functions = set()
        if file.exists():
            tree = ast.parse(file.read_text(encoding="utf-8"))
            functions = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        if not file.exists() or (function and function not in functions):
            missing.append(path)
    assert missing == []


def test_every_line_of_coverage_says_where_it_stands() -> None:
    rows = [
        line
        for line in (ROOT / "docs" / "coverage.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("| ") and not line.startswith(("| ---", "| item"))
    ]
    states = ("verbatim", "equivalent", "replaced", "partly", "later: ")
    silent = [row for row in rows if not row.split(" | ")[1].strip().startswith(states)]
    assert silent == []
