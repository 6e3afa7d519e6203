"""An error without a way out helps nobody."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from documented import ROOT
from trilho import errors

NAMES = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, errors.TrilhoError)}


def made(source: str) -> Iterator[ast.Call]:
    """Every place that makes one of our errors."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in NAMES:
            yield node


def problem(call: ast.Call) -> str:
    """What an error made here lacks."""
    given = {keyword.arg: keyword.value for keyword in call.keywords}
    if not call.args or _can_be_empty(call.args[0]):
        return "does not say what happened"
    if "remedy" not in given or _can_be_empty(given["remedy"]):
        return "does not say what to do"
    return ""


def _can_be_empty(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return not str(node.value or "").strip()
    if isinstance(node, ast.IfExp):
        return _can_be_empty(node.body) or _can_be_empty(node.orelse)
    if isinstance(node, ast.JoinedStr):
        return not node.values
    return False


def test_every_error_says_what_to_do() -> None:
    sources = {
        file: file.read_text(encoding="utf-8") for file in (ROOT / "src").rglob("*.py") if file.name != "errors.py"
    }
    found = [
        f"{file.relative_to(ROOT)}, line {call.lineno}: {said}"
        for file, source in sources.items()
        for call in made(source)
        if (said := problem(call))
    ]
    assert found == []


@pytest.mark.parametrize(
    "source",
    [
        'raise BadData("It is wrong.")',
        'raise BadData("It is wrong.", remedy="")',
        'raise BadData("It is wrong.", remedy="Do that." if known else "")',
        'raise BadData("", remedy="Do that.")',
    ],
)
def test_an_error_without_words_is_noticed(source: str) -> None:
    assert [problem(call) for call in made(source)] != [""]
