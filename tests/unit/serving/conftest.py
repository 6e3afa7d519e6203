from __future__ import annotations

from collections.abc import Callable

import pytest

from pages import made_once
from shipped import KINDS, Shipped, all_numbers, categories_and_missing
from trilho import bundle


@pytest.fixture(scope="session", params=list(KINDS))
def shipped(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """Each of the tables in turn."""
    return KINDS[request.param](tmp_path_factory.mktemp("shipped"))


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    return all_numbers(tmp_path_factory.mktemp("numbers"))


@pytest.fixture(scope="session")
def words(tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    return categories_and_missing(tmp_path_factory.mktemp("words"))


@pytest.fixture(scope="session")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bundle.Predictor]:
    """One of the page's models by its name in `pages.MODELS`."""
    return made_once(tmp_path_factory.mktemp)
