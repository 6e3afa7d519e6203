from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = """
name: churn
task: classification
target: left
data: {source: "sklearn:breast_cancer"}
train: {estimator: sklearn.linear_model.LogisticRegression}
tracking_uri: "http://127.0.0.1:1"
"""
TRILHO = [sys.executable, "-m", "trilho.cli"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "trilho.yaml").write_text(PROJECT, encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(("every", "told"), [("often", "is not a duration"), ("10ms", "at most once a second")])
def test_pause_that_is_none_is_wrong_usage(project: Path, every: str, told: str) -> None:
    done = subprocess.run(
        [*TRILHO, "monitor", "--every", every], cwd=project, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert told in " ".join(done.stderr.replace("│", "").split())


def test_what_is_wrong_at_one_look_is_said_and_tried_again(project: Path) -> None:
    """No server, no champion: a watcher waits for both."""
    command = [*TRILHO, "monitor", "--every", "1s"]
    with subprocess.Popen(
        command, cwd=project, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, encoding="utf-8"
    ) as watcher:
        assert watcher.stderr is not None
        again = 0
        for line in watcher.stderr:
            again += "This is tried again." in line
            if again == 2:
                break
        alive = watcher.poll() is None
        watcher.kill()
    assert (again, alive) == (2, True)
