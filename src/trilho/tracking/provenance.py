"""Where a run comes from: the commit, whether files differ from it, and the environment it ran in."""

from __future__ import annotations

import platform
import subprocess
from importlib.metadata import distributions
from pathlib import Path

_GIT_SECONDS = 10.0


def git_tags(folder: Path) -> dict[str, str]:
    """The commit of `folder` under MLflow's own tag names, and whether the work tree differs; empty outside git."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return {}
    tags = {"mlflow.source.git.commit": commit, "trilho.git.dirty": str(bool(_git(folder, "status", "--porcelain")))}
    if branch := _git(folder, "rev-parse", "--abbrev-ref", "HEAD"):
        tags["mlflow.source.git.branch"] = branch
    return tags


def environment_lines() -> list[str]:
    """Python, system and every installed package with its version, one a line, as pip freeze would."""
    every = (dist.metadata for dist in distributions())  # read once: each access parses the file anew
    packages = {about["Name"]: about["Version"] for about in every if about["Name"]}
    head = [f"# Python {platform.python_version()} on {platform.system()} {platform.machine()}"]
    return head + [f"{name}=={number}" for name, number in sorted(packages.items(), key=lambda item: item[0].lower())]


def _git(folder: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
