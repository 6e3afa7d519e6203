"""The import contracts hold, and they notice a climb."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(folder / "src"), "PATH": "", "HOME": str(folder)},
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    pytest.importorskip("importlinter", reason='pip install --group dev ".[all]"')
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_every_contract_is_kept(copy: Path) -> None:
    done = lint(copy)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("file", "climb"),
    [
        ("steps/facts.py", "import trilho.serving"),
        ("wire/address.py", "import trilho.tracking"),
        ("serving/__init__.py", "import mlflow"),
        ("delivery.py", "import typer"),
        ("serving/worker.py", "import pandas"),
        ("data/checks.py", "import pandera"),
        ("gates/verdict.py", "import trilho.gates.judging"),
        ("bundle/compiling/nodes.py", "import trilho.bundle.compiling.graph"),
    ],
)
def test_a_climb_is_noticed(copy: Path, file: str, climb: str) -> None:
    target = copy / "src" / "trilho" / file
    target.write_text(target.read_text(encoding="utf-8") + f"\n{climb}\n", encoding="utf-8")
    assert lint(copy).returncode != 0


def test_a_room_that_the_drawing_does_not_name_is_noticed(copy: Path) -> None:
    (copy / "src" / "trilho" / "attic.py").write_text("", encoding="utf-8")
    assert lint(copy).returncode != 0
