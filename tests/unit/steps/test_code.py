"""What counts as a change of a function's code, and what does not. All in one module; see test_code_imports.py."""

from __future__ import annotations

import ast
from importlib.metadata import version
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trilho.steps.code import code_fingerprint


def fingerprint(root: Path, text: str, path: str = "features:build") -> str:
    (root / "features.py").write_text(dedent(text), encoding="utf-8")
    return code_fingerprint(path, root)


SOURCE = """
    \"\"\"Features of the shop.\"\"\"
    import functools

    LIMIT = 3
    OTHER = [1, 2]


    def helper(x):
        return deeper(x) + 1


    def deeper(x):
        return x * 2


    def unrelated(x):
        return x - 1


    def traced(function):
        @functools.wraps(function)
        def call(*args):
            return function(*args)
        return call


    class Scaler:
        rate = 2

        def __init__(self, by=1):
            self.by = by

        def fit(self, X):
            return self

        def transform(self, X):
            return helper(X) * self.by


    @traced
    def build(frame, depth=5):
        total = helper(frame) + LIMIT
        return Scaler().transform(total) if depth else total
"""


def changed(root: Path, old: str, new: str, path: str = "features:build") -> bool:
    assert SOURCE.count(old) == 1
    return fingerprint(root, SOURCE, path) != fingerprint(root, SOURCE.replace(old, new), path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("total = helper(frame) + LIMIT", "total = helper(frame) - LIMIT", id="body"),
        pytest.param("depth=5", "depth=6", id="default argument"),
        pytest.param("LIMIT = 3", "LIMIT = 4", id="constant"),
        pytest.param("return deeper(x) + 1", "return deeper(x) + 2", id="helper"),
        pytest.param("return x * 2", "return x * 3", id="helper of a helper"),
        pytest.param("by=1", "by=2", id="class's constructor"),
        pytest.param("rate = 2", "rate = 3", id="class's attribute"),
        pytest.param("* self.by", "/ self.by", id="method"),
        pytest.param("return function(*args)", "return None", id="inside the decorator"),
        pytest.param("    @traced\n", "", id="decorator taken away"),
        pytest.param("def build(frame", "async def build(frame", id="async"),
    ],
)
def test_a_change_of_what_is_reached_counts(tmp_path: Path, old: str, new: str) -> None:
    assert changed(tmp_path, old, new)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param("return x - 1", "return x - 2", id="unrelated function's body"),
        pytest.param("def unrelated(x):\n        return x - 1\n", "", id="unrelated function gone"),
        pytest.param("return x * 2", "return x * 2  # twice", id="comment"),
        pytest.param("return x * 2", "return (\n            x\n            * 2\n        )", id="layout"),
        pytest.param("OTHER = [1, 2]", "OTHER = [\n        1,\n        2,\n    ]", id="layout of a constant"),
        pytest.param("def helper(x):", "def another(): pass\n\n\n    def helper(x):", id="unrelated function added"),
    ],
)  # fmt: skip
def test_a_change_of_what_is_not_reached_or_not_code_does_not_count(tmp_path: Path, old: str, new: str) -> None:
    assert not changed(tmp_path, old, new)


def test_the_order_of_definitions_does_not_count(tmp_path: Path) -> None:
    one = "def build(x):\n    return helper(x)\n\ndef helper(x):\n    return x\n"
    two = "def helper(x):\n    return x\n\ndef build(x):\n    return helper(x)\n"
    assert fingerprint(tmp_path, one) == fingerprint(tmp_path, two)


def test_another_function_of_the_same_body_is_another_code(tmp_path: Path) -> None:
    text = "def build(x):\n    return x\n\ndef built(x):\n    return x\n"
    assert fingerprint(tmp_path, text) != fingerprint(tmp_path, text, "features:built")


def test_a_method_is_its_whole_class(tmp_path: Path) -> None:
    assert changed(tmp_path, "rate = 2", "rate = 3", "features:Scaler.transform")
    assert changed(tmp_path, "return x * 2", "return x * 3", "features:Scaler.transform")
    text = "class A:\n    def f(self): return 1\n\nclass B:\n    def f(self): return {}\n"
    one, two = (fingerprint(tmp_path, text.format(number), "features:A.f") for number in (1, 2))
    assert one == two


def test_both_forms_of_an_import_string_are_one_code(tmp_path: Path) -> None:
    assert fingerprint(tmp_path, SOURCE) == fingerprint(tmp_path, SOURCE, "features.build")


def test_the_base_class_counts(tmp_path: Path) -> None:
    text = "class Base:\n    rate = {}\n\nclass build(Base):\n    pass\n"
    assert fingerprint(tmp_path, text.format(1)) != fingerprint(tmp_path, text.format(2))


def test_functions_that_call_each_other_have_a_fingerprint(tmp_path: Path) -> None:
    text = "def build(x):\n    return other(x)\n\ndef other(x):\n    return build(x - {})\n"
    text += "\ndef me(x):\n    return me(x)\n"
    assert fingerprint(tmp_path, text.format(1)) != fingerprint(tmp_path, text.format(2))
    assert fingerprint(tmp_path, text.format(1), "features:me") == fingerprint(tmp_path, text.format(2), "features:me")


def test_a_function_that_a_decorator_registers_counts_though_nobody_calls_it(tmp_path: Path) -> None:
    text = """
    from functools import singledispatch

    @singledispatch
    def build(x):
        return x

    @build.register
    def _(x: int):
        return x * {}

    @build.register
    def _(x: str):
        return x
    """
    assert fingerprint(tmp_path, text.format(2)) != fingerprint(tmp_path, text.format(3))


def test_a_constant_named_as_the_code_counts_with_what_makes_it(tmp_path: Path) -> None:
    text = "def make():\n    return {}\n\nbuild = make()\n"
    assert fingerprint(tmp_path, text.format(1)) != fingerprint(tmp_path, text.format(2))


def test_a_definition_inside_an_if_counts(tmp_path: Path) -> None:
    text = "if True:\n    def build(x):\n        return {}\n"
    assert fingerprint(tmp_path, text.format(1)) != fingerprint(tmp_path, text.format(2))


@pytest.mark.parametrize("broken", [b"def build(:\n", b"x = 1\0\n", b"\xff\xfe\n", b"def build(x):\n\treturn 1\n  y\n"])
def test_a_module_that_does_not_parse_has_a_fingerprint_that_any_change_changes(tmp_path: Path, broken: bytes) -> None:
    found = set()
    for text in (broken, broken + b"# another\n"):
        (tmp_path / "features.py").write_bytes(text)
        found.add(code_fingerprint("features:build", tmp_path))
    assert len(found) == 2


def test_a_name_that_does_not_exist_has_a_fingerprint(tmp_path: Path) -> None:
    assert fingerprint(tmp_path, "x = 1\n", "features:absent")


def test_code_outside_the_project_is_its_package_and_version(tmp_path: Path) -> None:
    expected = f"scikit-learn {version('scikit-learn')}"
    assert code_fingerprint("sklearn.ensemble.RandomForestClassifier", tmp_path) == expected
    assert code_fingerprint("sklearn.ensemble:RandomForestClassifier", tmp_path) == expected
    assert code_fingerprint("dateutil.parser:parse", tmp_path) == f"python-dateutil {version('python-dateutil')}"


def test_what_is_nowhere_is_unknown(tmp_path: Path) -> None:
    assert code_fingerprint("absent_package.thing:build", tmp_path) == "unknown"
    assert code_fingerprint("build", tmp_path) == "unknown"


NAMES = st.sampled_from("abcd")
EXPRESSIONS = st.recursive(
    st.one_of(NAMES, st.integers(0, 9).map(str), NAMES.map(lambda name: f"{name}(x)")),
    lambda inner: st.tuples(inner, st.sampled_from("+-*"), inner).map(" ".join),
    max_leaves=4,
)


@given(bodies=st.fixed_dictionaries(dict.fromkeys("abcd", EXPRESSIONS)), edited=NAMES, other=EXPRESSIONS)
def test_an_edit_counts_exactly_if_the_function_is_reached(
    tmp_path_factory: pytest.TempPathFactory, bodies: dict[str, str], edited: str, other: str
) -> None:
    def text(of: dict[str, str]) -> str:
        return "".join(f"def {name}(x):\n    return {body}\n\n" for name, body in of.items())

    def same(one: str, two: str) -> bool:
        return ast.dump(ast.parse(one)) == ast.dump(ast.parse(two))

    reached, pending = set(), ["a"]
    while pending:
        name = pending.pop()
        if name not in reached:
            reached.add(name)
            pending += [part.id for part in ast.walk(ast.parse(bodies[name])) if isinstance(part, ast.Name)]
            pending = [name for name in pending if name in bodies]
    root = tmp_path_factory.mktemp("code")
    before = fingerprint(root, text(bodies), "features:a")
    after = fingerprint(root, text({**bodies, edited: other}), "features:a")
    assert (before != after) == (edited in reached and not same(bodies[edited], other))
