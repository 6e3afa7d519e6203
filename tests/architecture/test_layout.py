"""What import-linter cannot see: length, names, depth, and what is loaded when."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src" / "trilho").rglob("*.py"))
VAGUE = re.compile(r"(^|_)(utils?|helpers?|manager|base|common|misc|core)(_|$)", re.IGNORECASE)
VAGUE_CLASS = re.compile(r"(Utils?|Helpers?|Manager|Base|Common|Misc|Core)")


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for file in SOURCES:
        yield file.relative_to(ROOT), ast.parse(file.read_text(encoding="utf-8"))


def loaded_by(code: str) -> set[str]:
    """The top-level packages that are loaded after `code` ran in a fresh interpreter."""
    script = f"{code}\nimport sys; print(' '.join(sorted(name.split('.')[0] for name in sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split("\n")[-2].split())


def test_no_file_is_longer_than_300_lines() -> None:
    long = {
        str(file.relative_to(ROOT)): count
        for file in SOURCES
        if (count := len(file.read_text(encoding="utf-8").splitlines())) > 300
    }
    assert long == {}


def test_the_loop_fits_on_one_page() -> None:
    assert len((ROOT / "src/trilho/delivery.py").read_text(encoding="utf-8").splitlines()) <= 150


def test_no_name_is_vague() -> None:
    vague = [str(file) for file, _ in modules() if VAGUE.search(file.stem)]
    for file, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and VAGUE.search(node.name):
                vague.append(f"{file}: {node.name}")
            if isinstance(node, ast.ClassDef) and VAGUE_CLASS.search(node.name):
                vague.append(f"{file}: {node.name}")
    assert vague == []


def test_no_class_inherits_from_a_class_that_inherits() -> None:
    parents: dict[str, list[str]] = {}
    for _, tree in modules():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                parents[node.name] = [base.id for base in node.bases if isinstance(base, ast.Name)]
    deep = [name for name, found in parents.items() for parent in found if set(parents.get(parent, [])) & set(parents)]
    assert deep == []


def test_every_public_function_says_what_it_does() -> None:
    silent = []
    for file, tree in modules():
        for node in tree.body:
            named = isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
            frozen_value = isinstance(node, ast.ClassDef) and "file.py" in file.name
            if named and not frozen_value and ast.get_docstring(node) is None:
                assert isinstance(node, ast.FunctionDef | ast.ClassDef)
                silent.append(f"{file}: {node.name}")
        if file.name != "__init__.py" and ast.get_docstring(tree) is None:
            silent.append(str(file))
    assert silent == []


@pytest.mark.parametrize("code", ["import trilho", "from trilho.cli.main import application; application()"])
def test_import_loads_no_mlflow_and_no_pandas(code: str) -> None:
    assert loaded_by(code) & {"mlflow", "pandas", "sklearn", "numpy", "onnxruntime", "pyarrow", "matplotlib"} == set()


def test_a_serving_worker_loads_no_mlflow_no_pandas_and_no_scikit_learn() -> None:
    assert loaded_by("import trilho.serving.worker") & {"mlflow", "pandas", "sklearn", "skops", "scipy"} == set()


def test_help_loads_no_mlflow_and_no_pandas() -> None:
    code = """
import sys
sys.argv = ["trilho", "--help"]
from trilho.cli.main import main
try:
    main()
except SystemExit:
    pass
"""
    assert loaded_by(code) & {"mlflow", "pandas", "sklearn", "numpy"} == set()


def test_public_names_are_few_and_all_exist() -> None:
    import trilho

    assert len(trilho.__all__) <= 15
    assert [name for name in trilho.__all__ if getattr(trilho, name, None) is None] == []


def test_no_tracked_file_names_a_registry_or_a_path_of_a_machine() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("needs a git checkout")
    pattern = (
        r"--(extra-)?index-url|\"resolved\": *\"http|registry *= *\"http|/root/|/home/[a-z]+/\.|files\.python"
        + "hosted"
    )
    done = subprocess.run(
        ["git", "grep", "-nIE", "-e", pattern, "--", ".", ":!tests/architecture", ":!docs/coverage.md"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == ""
