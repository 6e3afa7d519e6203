"""The real command line, in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


def environment(server: str | None = None, **more: str) -> dict[str, str]:
    """The environment of a test's command: nothing of the developer's, and the server the test chose."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MLFLOW_", "TRILHO_", "AWS_"))}
    chosen = {"MLFLOW_TRACKING_URI": server} if server else {}
    return {**kept, **chosen, "COLUMNS": "200", **more}


def trilho(
    folder: Path, *words: str, server: str | None = None, code: int | None = 0, **more: str
) -> subprocess.CompletedProcess[str]:
    """Run `trilho WORDS` in `folder` and check its exit code (None: any)."""
    done = subprocess.run(
        [sys.executable, "-m", "trilho.cli", *words],
        cwd=folder,
        env=environment(server, **more),
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert code is None or done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


def trilho_json(folder: Path, *words: str, server: str | None = None, code: int | None = 0, **more: str) -> Any:
    return json.loads(trilho(folder, *words, "--json", server=server, code=code, **more).stdout)


def try_login(home: Path, server: str, user: str, password: str) -> subprocess.CompletedProcess[str]:
    """`trilho login SERVER`, by somebody whose home folder, and where they are, is `home`."""
    return subprocess.run(
        [sys.executable, "-m", "trilho.cli", "login", server, "--user", user, "--password-stdin"],
        cwd=home,
        env=environment(HOME=str(home), USERPROFILE=str(home)),
        input=password + "\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


def write_project(folder: Path, name: str, settings: Mapping[str, Any]) -> Path:
    """A project of just a trilho.yaml; `settings` join or replace small, fast defaults."""
    small: dict[str, Any] = {
        "name": name,
        "task": "classification",
        "target": "target",
        "data": {"source": "sklearn:breast_cancer"},
        "transform": {"using": "standard_scaler"},
        "train": {"estimator": "sklearn.linear_model.LogisticRegression", "params": {"max_iter": 1000}},
        "evaluate": {"champion": {"margin": 0.05}},
    }
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trilho.yaml").write_text(yaml.safe_dump({**small, **settings}, sort_keys=False), encoding="utf-8")
    return folder
