"""What does the whole tracked pipeline cost beside a script that fits and logs the same by hand?

`trilho run` from an empty cache against by_hand.py, each a process from start to end, both to the same local tracking
server, which is up. Same rows, same estimator, same Python. Sizes:

- small: breast cancer (569 × 30), a forest of 200 trees
- large: 50,000 × 30 in a Parquet file, a forest of 50 trees

Both sides log parameters, metrics on train and test, report, figures, data set, documents and model, register a
version and give it the alias. trilho in addition hashes the data, keeps every step's output, compiles the model, checks
that the compiled one agrees, profiles the training rows, measures a latency and judges by gates. Two more lines show
what that makes of the ratio; they have no goal:

- pipeline.NAME.onnx: the script, too, makes the ONNX model and checks it
- pipeline.NAME.retrained: there is a champion already, and trilho compares with it (the script registers a second
  version and moves the alias, unlooked)

    python benchmarks/pipeline.py [--rounds 7] [--sizes small large]
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from peers import program
from timing import Taken, in_turn, report, take

from trilho.platform import ensure_tracking, stop

GOAL = 1.1
BY_HAND = Path(__file__).with_name("by_hand.py")
PROJECT = """
name: {name}
task: classification
target: target
positive_class: 0
primary_metric: f1
data: {{source: "{data}"}}
split: {{test_size: 0.2, random_state: 42}}
transform: {{using: standard_scaler}}
train:
  estimator: sklearn.ensemble.RandomForestClassifier
  params: {{n_estimators: {trees}, n_jobs: 1}}
evaluate: {{metrics: [accuracy, precision, recall, f1, roc_auc]}}
register: {{name: {name}}}
"""


@dataclass(frozen=True, kw_only=True)
class Size:
    """`data` is a source as trilho names it; a Parquet file of this name is made in the working folder."""

    data: str
    trees: int


SIZES = {"small": Size(data="sklearn:breast_cancer", trees=200), "large": Size(data="large.parquet", trees=50)}
ROWS, COLUMNS = 50_000, 30


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--sizes", nargs="+", choices=tuple(SIZES), default=list(SIZES))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        root = Path(name)
        write_large(root / "large.parquet")
        address = ensure_tracking(root / ".trilho")
        try:
            for size in asked.sizes:
                measure(root, address, size, asked.rounds)
        finally:
            stop(root / ".trilho", "tracking")
    return 0


def measure(root: Path, address: str, name: str, rounds: int) -> None:
    size = SIZES[name]
    # No reports of usage over the network from either side.
    env = {"MLFLOW_TRACKING_URI": address, "MLFLOW_DISABLE_TELEMETRY": "true"}
    trilho = program(Path(sys.executable).parent, "trilho")

    def by_trilho(model: str) -> Taken:
        folder = Path(tempfile.mkdtemp(dir=root))  # a new one: its cache is empty
        data = size.data if ":" in size.data else (root / size.data).as_posix()
        text = PROJECT.format(name=model, data=data, trees=size.trees)
        (folder / "trilho.yaml").write_text(text, encoding="utf-8")
        return take([trilho, "run"], folder=folder, env=env)

    def by_hand(model: str, *more: str) -> Taken:
        options = ["--data", size.data, "--target", "target", "--trees", str(size.trees), "--name", model, *more]
        return take([sys.executable, BY_HAND, *options], folder=root, env=env)

    def new(side: str) -> str:
        return f"{name}-{side}-{secrets.token_hex(4)}"

    def trilho_new() -> Taken:
        return by_trilho(new("trilho"))

    def hand_new() -> Taken:
        return by_hand(new("hand"))

    def hand_with_onnx() -> Taken:
        return by_hand(new("onnx"), "--onnx")

    in_turn(1, trilho_new, hand_with_onnx)  # warms bytecode and page cache
    ours, theirs, with_onnx = in_turn(rounds, trilho_new, hand_new, hand_with_onnx)
    report(f"pipeline.{name}", ours, theirs, peer="by hand", goal=GOAL)
    report(f"pipeline.{name}.onnx", ours, with_onnx, peer="by hand, with ONNX", goal=None)
    mine, other = new("trilho"), new("hand")
    in_turn(1, lambda: by_trilho(mine), lambda: by_hand(other))
    ours, theirs = in_turn(rounds, lambda: by_trilho(mine), lambda: by_hand(other))
    report(f"pipeline.{name}.retrained", ours, theirs, peer="by hand", goal=None)


def write_large(file: Path) -> None:
    import pandas as pd
    from sklearn.datasets import make_classification

    rows, truth = make_classification(ROWS, COLUMNS, n_informative=12, flip_y=0.05, random_state=0)
    frame = pd.DataFrame(rows, columns=[f"x{number}" for number in range(COLUMNS)]).assign(target=truth)
    frame.to_parquet(file)


if __name__ == "__main__":
    sys.exit(main())
