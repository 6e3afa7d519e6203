from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from trilho.tracking.provenance import environment_lines, git_tags


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    git(tmp_path, "init")
    (tmp_path / "a.py").write_text("a = 1\n", encoding="utf-8")
    git(tmp_path, "add", "a.py")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


def test_a_clean_tree_gives_its_commit_and_branch(repository: Path) -> None:
    assert git_tags(repository) == {
        "mlflow.source.git.commit": git(repository, "rev-parse", "HEAD"),
        "mlflow.source.git.branch": "main",
        "trilho.git.dirty": "False",
    }


def test_a_folder_below_gives_the_same(repository: Path) -> None:
    (repository / "below").mkdir()
    assert git_tags(repository / "below") == git_tags(repository)


@pytest.mark.parametrize("name", ["a.py", "new.py"])
def test_a_changed_or_a_new_file_makes_it_dirty(repository: Path, name: str) -> None:
    (repository / name).write_text("a = 2\n", encoding="utf-8")
    assert git_tags(repository)["trilho.git.dirty"] == "True"


def test_a_folder_outside_git_gives_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_tags(tmp_path) == {}
    assert git_tags(tmp_path / "absent") == {}


def test_a_repository_without_a_commit_gives_nothing(tmp_path: Path) -> None:
    git(tmp_path, "init")
    assert git_tags(tmp_path) == {}


def test_a_machine_without_git_gives_nothing(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    assert git_tags(repository) == {}


def test_the_environment_names_python_and_every_package() -> None:
    first, *packages = environment_lines()
    assert first == f"# Python {platform.python_version()} on {platform.system()} {platform.machine()}"
    assert f"pandas=={version('pandas')}" in packages
    assert packages == sorted(packages, key=lambda line: line.split("==")[0].lower())
    assert len(packages) == len({line.split("==")[0] for line in packages})
