"""What the guide and the docstrings show is what happens."""

from __future__ import annotations

import doctest
import re
from pathlib import Path

import trilho.testing

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "promotion.md"


def test_the_guide_s_test_without_a_server_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (code,) = (block for block in blocks if "trilho.testing" in block)
    exec(code, {})


def test_the_example_of_the_fakes_runs() -> None:
    assert doctest.testmod(trilho.testing).failed == 0
