"""The core works where no extra is installed.

Source names no extra outside trilho.importer (a contract in pyproject.toml), so what can tell the difference is a test
that names one: those run here, and all others are collected, in a Python that has none of them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from trilho.importer import EXTRAS

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "tests" / "unit"
NAMED = re.compile(rf"\b({'|'.join(EXTRAS)})\b")

# Read by every Python that is started, tests' subprocesses too: what is None here cannot be imported, and is not found.
HIDDEN = f"import sys\nsys.modules.update(dict.fromkeys({sorted(EXTRAS)}))\n"


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a Python without extras."""
    place = tmp_path_factory.mktemp("without")
    (place / "sitecustomize.py").write_text(HIDDEN, encoding="utf-8")
    return {**os.environ, "PYTHONPATH": str(place)}


def run(bare: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=bare, capture_output=True, text=True, check=False, timeout=900
    )


def test_every_extra_is_in_the_table_that_says_how_to_install_it() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(EXTRAS.values()) | {"all"} == set(extras)
    brought = packages_distributions()
    for name, extra in EXTRAS.items():
        asked = {re.split(r"[\[<>=]", requirement)[0] for requirement in extras[extra]}
        assert asked & {package.lower() for package in brought[name]}, f"{extra} does not bring {name}"


@pytest.mark.parametrize("name", sorted(EXTRAS))
def test_an_extra_that_is_not_there_is_a_sentence_with_the_install_line(bare: dict[str, str], name: str) -> None:
    code = f"from trilho.importer import load_module\nload_module('{name}')"
    done = run(bare, "-c", code)
    assert "MissingExtra" in done.stderr
    assert f"trilho[{EXTRAS[name]}]" in done.stderr


def test_unit_tests_pass_without_extras(bare: dict[str, str]) -> None:
    collected = run(bare, "-m", "pytest", "tests/unit", "--collect-only", "-q", "-p", "no:cacheprovider")
    assert collected.returncode == 0, collected.stdout[-5000:]
    named = [
        str(file.relative_to(ROOT))
        for file in sorted(UNIT.rglob("test_*.py"))
        if NAMED.search(file.read_text(encoding="utf-8"))
    ]
    assert named
    done = run(bare, "-m", "pytest", *named, "-q", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout[-5000:]
    assert "skipped" in done.stdout, "else the extras were there after all"
