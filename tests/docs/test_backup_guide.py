"""The guide's way out of a damaged database, typed as it is written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from command_line import environment, trilho, trilho_json, write_project
from documented import ROOT, blocks

GUIDE = (ROOT / "docs" / "guides" / "backup.md").read_text(encoding="utf-8")
WITH_A_BACKUP, WITH_A_COPY = blocks(GUIDE.partition("## The database is damaged")[2], "sh")


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a champion, a backup and a plain copy, whose database nobody can read any more."""
    project = write_project(tmp_path_factory.mktemp("guide") / "project", "churn", {})
    trilho(project, "run")
    (project / "backups").mkdir()
    trilho(project, "backup", "backups/monday.tar.zst")
    trilho(project, "down")
    database = project / ".trilho" / "mlflow" / "mlflow.db"
    shutil.copyfile(database, database.with_name("mlflow.db.bak"))
    with database.open("r+b") as file:
        file.write(os.urandom(50_000))
    return project


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("sh") is None, reason="the guide's lines are for a shell")
@pytest.mark.parametrize("way", [WITH_A_BACKUP, WITH_A_COPY], ids=["backup", "copy"])
def test_a_damaged_database_is_put_right_as_the_guide_says(way: str, damaged: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(damaged, project)
    try:
        assert "is damaged" in trilho(project, "up", "tracking", code=1).stderr
        (tmp_path / "bin").mkdir()
        command = tmp_path / "bin" / "trilho"
        command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m trilho.cli "$@"\n', encoding="utf-8")
        command.chmod(0o755)
        path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            ["sh", "-e", "-c", way],
            cwd=project,
            env=environment(PATH=path),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert trilho_json(project, "history")[0]["after"] == 1
        if way == WITH_A_BACKUP:
            assert "churn v1" in done.stdout
            assert list((project / "backups").glob("before-restore-*.tar.zst")), "the damaged file is kept"
    finally:
        trilho(project, "down")
