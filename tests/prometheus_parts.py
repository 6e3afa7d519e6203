"""Prometheus' programs and a folder of `trilho deploy monitoring`, for the tests that need them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from trilho.deploy import write_monitoring

INSTALL = "apt-get install prometheus prometheus-alertmanager prometheus-node-exporter"
ALERTMANAGERS = ("prometheus-alertmanager", "alertmanager")  # Debian's name, and everybody else's
NODE_EXPORTERS = ("prometheus-node-exporter", "node_exporter")


def program(*names: str) -> str:
    """Where the first of these programs is; without any the test is skipped."""
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"needs {names[0]}: {INSTALL}")
    return found


def checked(*words: str | Path, folder: Path) -> str:
    """What a checking program says; it must be content."""
    command = [program(str(words[0])), *map(str, words[1:])]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def deployed(folder: Path, *, tracking: str = "http://127.0.0.1:5000", model: str = "http://127.0.0.1:8000") -> Path:
    """The folder that `trilho deploy monitoring` writes."""
    write_monitoring(folder, tracking=[tracking], model_servers=[model])
    return folder


def taken(text: str, *headings: str) -> str:
    """A file with its commented settings taken: those below the "## " lines that begin so, or all of them."""
    lines, taking = [], False
    for line in text.splitlines():
        if match := re.match(r"\s*## (.*)", line):
            taking = not headings or match[1].startswith(headings)
        elif not line.lstrip().startswith("# "):
            taking = False
        lines.append(re.sub(r"^(\s*)# ", r"\1", line) if taking else line)
    return "\n".join(lines) + "\n"


def rules_of(folder: Path) -> list[dict[str, Any]]:
    """Every rule of the folder's rules.yml."""
    groups = yaml.safe_load((folder / "rules.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]
