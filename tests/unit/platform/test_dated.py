from __future__ import annotations

import re
from pathlib import Path

from trilho.platform.dated import dated


def test_copies_of_the_same_second_have_a_name_each(tmp_path: Path) -> None:
    made = []
    for _ in range(4):
        path = dated(tmp_path, "before-restore", ".tar.zst")
        path.touch()
        made.append(path.name)
    assert len(set(made)) == 4
    assert all(re.fullmatch(r"before-restore-\d{8}-\d{6}(-\d)?\.tar\.zst", name) for name in made)
