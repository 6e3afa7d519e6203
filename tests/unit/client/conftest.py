from __future__ import annotations

from collections.abc import Iterator

import pytest

from model_server import Running, running
from shipped import Shipped


@pytest.fixture
def server(numbers: Shipped) -> Iterator[Running]:
    with running(numbers) as found:
        yield found
