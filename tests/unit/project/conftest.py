"""Fixtures for projects on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from unit.project.written import Write


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a file of a project; gives the project's folder."""

    def _write(text: str, name: str = "trilho.yaml") -> Path:
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path

    return _write
