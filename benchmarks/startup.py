"""How long until the command line answers? `trilho --help` against `mlflow --help`.

Both as installed, each in its environment, bytecode and page cache warmed by runs that do not count.

    python benchmarks/startup.py [--rounds 15]
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from peers import environment, program
from timing import Taken, in_turn, report, take

GOAL = 0.15
WARM_UP = 2


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    trilho = program(Path(sys.executable).parent, "trilho")
    mlflow = program(environment("mlflow"), "mlflow")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)

        def ours() -> Taken:
            return take([trilho, "--help"], folder=folder)

        def theirs() -> Taken:
            return take([mlflow, "--help"], folder=folder, env={"MLFLOW_DISABLE_TELEMETRY": "true"})

        in_turn(WARM_UP, ours, theirs)
        report("startup", *in_turn(rounds, ours, theirs), peer="mlflow --help", goal=GOAL)
    return 0


if __name__ == "__main__":
    sys.exit(main())
