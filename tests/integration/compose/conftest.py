"""One engine and one set of images for every test that brings a server up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

import compose_server
from compose_server import Built


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Built]:
    with compose_server.built(tmp_path_factory.mktemp("built")) as found:
        yield found
