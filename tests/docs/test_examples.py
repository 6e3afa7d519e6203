"""The examples run, and the guides show their code as it is."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import environment, trilho, trilho_json
from documented import ROOT, blocks

OWN_CODE = ROOT / "examples" / "own_code"


@pytest.fixture
def own_code(tmp_path: Path) -> Path:
    shutil.copytree(
        OWN_CODE, tmp_path / "project", ignore=shutil.ignore_patterns(".trilho", "artifacts", "__pycache__")
    )
    return tmp_path / "project"


def test_code_in_the_guide_is_the_code_of_the_example() -> None:
    example = re.sub(r"  # noqa.*", "", (OWN_CODE / "features.py").read_text(encoding="utf-8"))
    guide = (ROOT / "docs" / "guides" / "your-code.md").read_text(encoding="utf-8")
    shown = [block for block in blocks(guide, "python") if "Project(" not in block]
    assert len(shown) == 5
    assert [block for block in shown if block not in example] == []


def test_the_project_with_its_own_code_gets_a_compiled_champion(own_code: Path, mlflow_server: str) -> None:
    done = trilho_json(own_code, "run", "--set", "name=own-code-built", server=mlflow_server)
    assert done["champion"]["version"] == 1
    assert "compiled" in done["steps"][-1]["facts"]
    measured = trilho(own_code, "inspect", "evaluate", server=mlflow_server).stdout
    assert '"missed_fees"' in measured


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        (["transform.using=features:ratios", "transform.params.free=1"], "native"),
        (["transform.using=features:Clipped"], "native"),
        (["train.estimator=features:fit", "train.params=null", "train.params.rounds=20"], "compiled"),
        (["steps.split=features:every_fifth", "steps.register=features:note"], "compiled"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else value,
)
def test_every_place_for_ones_own_code_works(
    own_code: Path, mlflow_server: str, changes: list[str], facts: str
) -> None:
    name = f"own-code-{changes[0].rpartition(':')[2]}"
    words = [word for change in [f"name={name}", *changes] for word in ("--set", change)]
    done = trilho_json(own_code, "run", *words, server=mlflow_server)
    assert done["champion"]["version"] == 1
    assert facts in done["steps"][-1]["facts"]
    if "steps.register=features:note" in changes:
        assert (own_code / "artifacts" / "model" / "note.txt").read_text(encoding="utf-8").startswith("f1 0.")


def test_plain_mlflow_answers_with_the_champion(own_code: Path, mlflow_server: str) -> None:
    trilho(own_code, "run", "--set", "name=own-code-plain", server=mlflow_server)
    (own_code / "rows.csv").write_text("plan,fee,tickets\nbasic,12.5,5\n,80,0\n", encoding="utf-8")
    command = [sys.executable, "-W", "ignore", str(ROOT / "examples" / "plain_mlflow.py"), "own-code-plain", "rows.csv"]
    done = subprocess.run(
        command, cwd=own_code, env=environment(mlflow_server), capture_output=True, text=True, check=False
    )
    assert done.stdout.split() == ["yes", "no"], done.stderr
