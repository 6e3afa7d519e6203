"""What does a run cost when nothing changed? `trilho run` against `dvc repro` of the same six stages.

Same CSV (breast cancer), same steps, same estimator; both ran once before. trilho asks its tracking server, which is
up, whether the version still stands (one REST call); dvc asks nobody. The peer's project is dvc_project/, a git
repository with everything committed; its usage reports and its look for a newer version are off.

    python benchmarks/unchanged_run.py [--rounds 15]
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from peers import environment, program
from timing import Taken, in_turn, report, take

from trilho.platform import ensure_tracking, stop

GOAL = 0.5
WARM_UP = 2
PROJECT = """
name: breast-cancer
task: classification
target: target
positive_class: 0
data: {source: data.csv}
split: {test_size: 0.2, random_state: 42}
transform: {using: standard_scaler}
train:
  estimator: sklearn.ensemble.RandomForestClassifier
  params: {n_estimators: 200, n_jobs: 1}
register: {name: breast-cancer}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    trilho = program(Path(sys.executable).parent, "trilho")
    dvc = program(environment("dvc"), "dvc")
    # Stages say `python`: the one that has scikit-learn, ours. What dvc itself runs on is its own.
    env = {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        mine, other = Path(name) / "trilho", Path(name) / "dvc"
        mine.mkdir()
        write_data(mine / "data.csv")
        (mine / "trilho.yaml").write_text(PROJECT, encoding="utf-8")
        shutil.copytree(Path(__file__).parent / "dvc_project", other)
        shutil.copyfile(mine / "data.csv", other / "data.csv")
        ensure_tracking(mine / ".trilho")
        try:

            def ours() -> Taken:
                return take([trilho, "run"], folder=mine)

            def theirs() -> Taken:
                return take([dvc, "repro"], folder=other, env=env)

            begin(dvc, other, env)
            first, all_stages = ours(), theirs()
            commit(other)
            print(f"first run: trilho {first.wall:.1f} s, dvc {all_stages.wall:.1f} s (without tracking or figures)")
            in_turn(WARM_UP, ours, theirs)
            expect_nothing_to_do(trilho, mine, dvc, other, env)
            report("unchanged_run", *in_turn(rounds, ours, theirs), peer="`dvc repro`", goal=GOAL)
        finally:
            stop(mine / ".trilho", "tracking")
    return 0


def write_data(file: Path) -> None:
    from sklearn.datasets import load_breast_cancer

    load_breast_cancer(as_frame=True).frame.to_csv(file, index=False)


def begin(dvc: Path, folder: Path, env: dict[str, str]) -> None:
    take(["git", "init", "-q"], folder=folder)
    take([dvc, "init", "-q"], folder=folder, env=env)
    for setting in ("core.analytics", "core.check_update"):
        take([dvc, "config", setting, "false"], folder=folder, env=env)


def commit(folder: Path) -> None:
    who = ["-c", "user.name=benchmark", "-c", "user.email=benchmark@localhost"]
    take(["git", "add", "-A"], folder=folder)
    take(["git", *who, "commit", "-q", "-m", "all"], folder=folder)


def expect_nothing_to_do(trilho: Path, mine: Path, dvc: Path, other: Path, env: dict[str, str]) -> None:
    """A run that does something would measure that."""
    ours = subprocess.run([trilho, "run"], cwd=mine, capture_output=True, text=True, check=True).stdout
    full = {**os.environ, **env}
    theirs = subprocess.run([dvc, "repro"], cwd=other, env=full, capture_output=True, text=True, check=True).stdout
    if ours.count("reused") != 6 or theirs.count("didn't change, skipping") != 6:
        raise SystemExit(f"Not everything was reused:\n{ours}\n{theirs}")


if __name__ == "__main__":
    sys.exit(main())
