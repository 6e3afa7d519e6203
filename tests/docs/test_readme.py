"""The README's first five minutes, typed into a real command line in an empty folder."""

from __future__ import annotations

import csv
import json
import random
import shlex
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from command_line import environment, trilho
from conftest import free_port, stop, wait_for
from documented import ROOT, blocks

README = ROOT / "README.md"  # the Portuguese one holds the same blocks: test_links.py


def write_customers(file: Path) -> None:
    """What a person might bring: an id, words, a date, missing values, a label that depends on some of it."""
    draw = random.Random(11)
    with file.open("w", newline="", encoding="utf-8") as out:
        rows = csv.writer(out)
        rows.writerow(["customer_id", "since", "plan", "region", "fee", "tickets", "paperless", "churn"])
        for number in range(900):
            plan = draw.choice(["basic", "plus", "família"])
            tickets = draw.choice([0, 0, 0, 1, 1, 2, 3, 5])
            leaves = draw.random() < 0.1 + 0.13 * tickets + 0.2 * (plan == "basic")
            fee = f"{draw.uniform(10, 90):.2f}" if draw.random() > 0.08 else ""
            since = f"20{draw.randint(15, 25)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}"
            shown = plan if draw.random() > 0.05 else ""
            facts = [draw.choice(["north", "south"]), fee, tickets, draw.choice(["true", "false"])]
            rows.writerow([f"C{number:05d}", since, shown, *facts, "yes" if leaves else "no"])


def ask(folder: Path, words: list[str], body: str) -> object:
    """Start what `trilho serve` starts, send it what the README sends, stop it."""
    port = free_port()
    log = folder / "serve.log"
    with log.open("wb") as out:
        command = [sys.executable, "-m", "trilho.cli", *words]
        shown = environment(TRILHO_SERVE_PORT=str(port))
        server = subprocess.Popen(command, cwd=folder, env=shown, stdout=out, stderr=out)
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", server, log)
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/invocations",
            body.encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)
    finally:
        stop(server)


@pytest.mark.slow
def test_readme_blocks_run(tmp_path: Path) -> None:
    section = README.read_text(encoding="utf-8").split("\n## ")[1]
    typed, curl = blocks(section, "sh")
    body = shlex.split(curl.replace("\\\n", " "))[-1]
    [python] = blocks(section, "python")
    write_customers(tmp_path / "customers.csv")
    folder, done = tmp_path, []
    try:
        for line in typed.splitlines():
            words = shlex.split(line, comments=True)
            if words[:2] == ["pip", "install"]:
                continue  # it is what this test runs with
            if words[0] == "cd":
                folder = folder / words[1]
            elif words[:2] == ["trilho", "serve"]:
                assert ask(folder, words[1:], body) in ({"predictions": ["yes"]}, {"predictions": ["no"]})
            else:
                assert words[0] == "trilho"
                said = trilho(folder, *words[1:]).stdout
                assert "Promoted" in said or words[1] != "run"
            done.append(words[1])
        assert done == ["new", "churn", "run", "serve"]

        command = [sys.executable, "-c", f"{python}\nprint(type(model).__name__, delivery.steps[0].status)"]
        again = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True, check=False)
        assert again.returncode == 0, again.stderr
        assert "Version(name='churn', number=1" in again.stdout
        assert "Pipeline reused" in again.stdout
    finally:
        trilho(folder, "down", code=None)
