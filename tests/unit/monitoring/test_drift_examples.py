from __future__ import annotations

import doctest
from importlib import import_module
from pathlib import Path

import pytest

from trilho.monitoring import drift, histogram

METHODS = sorted(path.stem for path in Path(str(drift.__file__)).parent.glob("*.py") if path.stem != "__init__")


@pytest.mark.parametrize("method", METHODS)
def test_examples_of_a_method_run(method: str) -> None:
    tried = doctest.testmod(import_module(f"trilho.monitoring.drift.{method}"))
    assert tried.failed == 0
    assert tried.attempted > 0


@pytest.mark.parametrize("method", METHODS)
def test_every_method_names_its_source(method: str) -> None:
    text = str(import_module(f"trilho.monitoring.drift.{method}").__doc__)
    assert "Source:" in text or method == "distribution", "which is no method, but what two of them read"


def test_example_of_the_histogram_runs() -> None:
    assert doctest.testmod(histogram).failed == 0
