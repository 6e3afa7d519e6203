from __future__ import annotations

from collections.abc import Callable

import pytest

from pages import made_once
from trilho import bundle


@pytest.fixture(scope="session")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bundle.Predictor]:
    """One of the page's models by its name in `pages.MODELS`."""
    return made_once(tmp_path_factory.mktemp)
