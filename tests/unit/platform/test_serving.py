"""What the platform starts to serve a project."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from trilho.platform import monitor_service, serving_service
from trilho.project import load

PROJECT = """
name: churn
task: classification
target: churned
data: {source: "sklearn:breast_cancer"}
train: {estimator: sklearn.linear_model.LogisticRegression}
evaluate: {metrics: [f1]}
primary_metric: f1
register: {name: churn}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "trilho.yaml"
    path.write_text(PROJECT, encoding="utf-8")
    return path


def told(command: tuple[str, ...]) -> list[str]:
    return [value for flag, value in itertools.pairwise(command) if flag == "--set"]


def test_model_server_is_told_what_flags_said_of_serving_and_journal_and_nothing_else(file: Path) -> None:
    project = load(file, overrides=["serve.workers=2", "journal.max_bytes=2000000000", "name=shop"])
    assert told(serving_service(project).command) == ["serve.workers=2", "journal.max_bytes=2000000000"]


def test_watcher_is_told_what_flags_said_of_monitoring(file: Path) -> None:
    given = ["monitor.window=6h", "serve.workers=2", "serve.port=9001", "guard.lasts=5m"]  # it guards at that port
    project = load(file, overrides=given)
    assert sorted(told(monitor_service(project).command)) == ["guard.lasts=5m", "monitor.window=6h", "serve.port=9001"]


def test_nothing_is_handed_on_where_no_flag_was_given(file: Path) -> None:
    assert told(serving_service(load(file)).command) == []
