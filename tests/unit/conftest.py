"""Bundles that several rooms are tested with, made once for all of them."""

from __future__ import annotations

import pytest

from shipped import KINDS, Shipped, all_numbers, categories_and_missing


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
