"""Runs as processes of their own: at once, killed, and unchanged."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

from unit.steps.cases import module
from unit.steps.runs import write_project

TESTS = Path(__file__).parents[2]  # where unit.steps is found from

# A run of the project in argv[1] with the settings in argv[2], in one line of JSON: step → status, modules loaded.
RUN = """
import json, pathlib, sys
root, changes = pathlib.Path(sys.argv[1]), json.loads(sys.argv[2])
from trilho.project.file import (ChampionRule, DataSection, EvaluateSection, MonitorSection, ProjectFile,
    RegisterSection, ServeSection, SplitSection, TrainSection, TransformSection)
from trilho.steps import look, run_steps
project = ProjectFile(root=root, name="shop", task="classification", target="target", primary_metric="f1",
    profile="local", tracking_uri=None, experiment="shop", data=DataSection(source=changes.get("source", "shop.csv")),
    split=SplitSection(),
    transform=TransformSection(using=changes["using"]),
    train=TrainSection(estimator=changes["estimator"], params=changes.get("params", {})),
    evaluate=EvaluateSection(metrics=("f1", "accuracy"), champion=ChampionRule(metric="f1")),
    register=RegisterSection(name="shop"), serve=ServeSection(), monitor=MonitorSection())
if changes.get("look"):
    done = list(look(project))
else:
    done = run_steps(project, until="evaluate")
print(json.dumps({"steps": {r.step: r.status for r in done}, "modules": sorted(sys.modules)}))
"""

COUNTING = """
import os, pathlib, signal, sys
from sklearn.linear_model import LogisticRegression

HERE = pathlib.Path(__file__).parent


def build(frame):
    (HERE / f"transform-{os.getpid()}").touch()
    return frame


def train(X, y):
    (HERE / f"train-{os.getpid()}").touch()
    if (HERE / "die").exists():
        os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    return LogisticRegression(max_iter=10_000).fit(X, y)
"""


def start(root: Path, **changes: Any) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", RUN, str(root), json.dumps({"using": "none", **changes})]
    return subprocess.Popen(words, cwd=TESTS, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def end(process: subprocess.Popen[str]) -> dict[str, Any]:
    out, problem = process.communicate(timeout=600)
    assert process.returncode == 0, problem
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    return found


TREE = {"estimator": "sklearn.tree.DecisionTreeClassifier", "params": {"max_depth": 2}}


def test_two_runs_at_once_make_each_step_once(tmp_path: Path) -> None:
    write_project(tmp_path)
    module(tmp_path, "counting", COUNTING)
    both = [start(tmp_path, using="counting:build", estimator="counting:train") for _ in range(2)]
    done = [end(process)["steps"] for process in both]
    for step in ("ingest", "split", "transform", "train", "evaluate"):
        assert sorted(found[step] for found in done) == ["ran", "reused"]
    assert len(list(tmp_path.glob("train-*"))) == 1


def test_a_run_killed_in_a_step_leaves_no_entry_and_the_next_goes_on_there(tmp_path: Path) -> None:
    write_project(tmp_path)
    module(tmp_path, "counting", COUNTING)
    (tmp_path / "die").touch()
    killed = start(tmp_path, using="counting:build", estimator="counting:train")
    killed.communicate(timeout=600)
    assert killed.returncode == -signal.SIGKILL if hasattr(signal, "SIGKILL") else killed.returncode != 0
    cache = tmp_path / ".trilho" / "cache"
    assert [path.name for path in (cache / "train").iterdir() if not path.name.startswith(".")] == []
    (tmp_path / "die").unlink()
    steps = end(start(tmp_path, using="counting:build", estimator="counting:train"))["steps"]
    assert steps == {"ingest": "reused", "split": "reused", "transform": "reused", "train": "ran", "evaluate": "ran"}
    assert [path.name for path in (cache / "train").iterdir() if path.name.startswith(".")] == []


def test_an_unchanged_run_loads_neither_numpy_nor_pandas_nor_the_users_code(tmp_path: Path) -> None:
    write_project(tmp_path)
    code = {"using": "mine:build", "estimator": "mine:train", "params": {"C": 0.5}}
    first = end(start(tmp_path, **code))
    assert {"pandas", "sklearn", "mine", "helper"} <= set(first["modules"])  # else what follows shows nothing
    for how in ({}, {"look": True}):
        again = end(start(tmp_path, **code, **how))
        assert set(list(again["steps"].values())[:5]) == {"reused"}
        tops = {name.partition(".")[0] for name in again["modules"]}
        heavy = {"numpy", "pandas", "sklearn", "scipy", "pyarrow", "mlflow", "matplotlib", "joblib", "onnx", "psutil"}
        assert not tops & (heavy | {"mine", "helper"})


def test_an_unchanged_run_of_bundled_data_loads_no_scikit_learn(tmp_path: Path) -> None:
    write_project(tmp_path)
    assert end(start(tmp_path, source="sklearn:breast_cancer", **TREE))["steps"]["ingest"] == "ran"
    again = end(start(tmp_path, source="sklearn:breast_cancer", **TREE))
    assert set(again["steps"].values()) == {"reused"}
    assert "sklearn" not in again["modules"]
