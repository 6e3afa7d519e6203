"""Schemathesis asks a running server everything that its own description allows, and much that it does not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pages import MODELS, staged

pytestmark = pytest.mark.slow

# Which days a month has, and what is in an image, no description can say: there what looks valid may be refused.
SAYS_ALL = ("breast-cancer", "progression")
UNSAYABLE = ("customers", "hostile", "scans")


def tried(address: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    pytest.importorskip("schemathesis", reason="pip install schemathesis")
    command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
    command += ["run", f"{address}/openapi.json", "--phases", "examples,coverage,fuzzing", "--seed", "1", "--no-color"]
    return subprocess.run(
        [*command, "--max-examples", "25", *options],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("name", [*SAYS_ALL, *UNSAYABLE])
def test_predict_takes_what_it_describes_and_refuses_the_rest(name: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    options = ["--include-path", "/predict", "--include-path", "/model"]
    if name in UNSAYABLE:
        options += ["--exclude-checks", "positive_data_acceptance"]
    with staged(MODELS[name](tmp_path / "model"), name=name) as stage:
        done = tried(stage.address, tmp_path, *options)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


@pytest.mark.parametrize("name", ["breast-cancer", "customers"])
def test_no_route_answers_with_a_server_error(name: str, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    with staged(MODELS[name](tmp_path / "model"), name=name) as stage:
        done = tried(stage.address, tmp_path, "--checks", "not_a_server_error")
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
