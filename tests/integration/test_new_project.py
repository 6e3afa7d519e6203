"""A new project is alive: its own tests pass, it installs as a package, its notebook runs against a real server."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import environment
from trilho.project.new import create


def run(folder: Path, *command: str, server: str | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment(server), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done


def test_the_tests_of_a_new_project_pass(tmp_path: Path) -> None:
    made = create(tmp_path / "my shop")
    done = run(made.folder, "-W", "error", "-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert "5 passed" in done.stdout


def test_the_tests_of_a_new_project_tell_a_mistake_in_its_file(tmp_path: Path) -> None:
    folder = create(tmp_path / "shop").folder
    file = folder / "trilho.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("estimator:", "estimater:"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q"],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Did you mean train.estimator?" in done.stdout


def test_a_new_project_can_be_formatted_and_checked_as_it_is(tmp_path: Path) -> None:
    folder = create(tmp_path / "shop").folder
    run(folder, "-m", "ruff", "check", "--isolated", "--select", "E,F,I,W,UP,B", ".")
    run(folder, "-m", "ruff", "format", "--isolated", "--check", "src", "tests")


@pytest.mark.slow
def test_the_notebook_of_a_new_project_runs_from_top_to_bottom(tmp_path: Path, mlflow_server: str) -> None:
    folder = create(tmp_path / "notebook shop").folder
    notebook = json.loads((folder / "notebooks" / "explore.ipynb").read_text(encoding="utf-8"))
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    script = "\n".join(cells).removesuffix("delivery.champion") + "print('champion', delivery.champion.number)"
    done = run(folder / "notebooks", "-c", script, server=mlflow_server)
    assert done.stdout.splitlines()[-1] == "champion 1"


@pytest.mark.slow
def test_functions_of_ones_own_take_the_place_of_ours(tmp_path: Path, mlflow_server: str) -> None:
    folder = create(tmp_path / "own shop").folder
    file = folder / "trilho.yaml"
    text = file.read_text(encoding="utf-8").replace("# steps:", "steps:")
    file.write_text(text.replace("using: standard_scaler", "using: own_shop.features:build"), encoding="utf-8")
    script = (
        "from trilho import Project; project = Project('.'); project.run('train');"
        "train, test = project.inspect('split'); print(len(train), len(test), project.inspect('train')[0])"
    )
    done = run(folder, "-c", script, server=mlflow_server)
    assert done.stdout.startswith("455 114 ColumnTransformer")
