"""Nobody waits for rivals here: that each finishes what others began at once is the harder case."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from trilho.registry import settling


@pytest.fixture(autouse=True, scope="package")
def _no_pauses() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(settling, "PAUSES", 0)
        yield
