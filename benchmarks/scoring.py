"""What does it take to score two million rows in a file?

`trilho score` against a plain pandas script (scoring_by_pandas.py) and against `mlflow models predict`, each a process
from start to end, with the same fitted pipeline. The file: Parquet, 2,000,000 rows × 30 numbers and an id. Models:

- logistic: a scaler and a logistic regression, where most of the time goes into reading and writing
- forest: a scaler and 50 trees, where it goes into the model

`mlflow models predict` reads no Parquet: it gets the same rows as CSV, and writes labels without probabilities as JSON.
`scoring.MODEL.csv` is `trilho score` from that CSV to another one, whose text it keeps.

Memory is the peak of the whole process, looked at every 20 ms; `scoring.memory.flat` is two million rows against a
quarter of them.

    python benchmarks/scoring.py [--rounds 3] [--models logistic forest] [--rows 2000000]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
from peers import environment, program
from timing import Taken, in_turn, report, take

PANDAS_GOAL, MLFLOW_GOAL, FLAT_GOAL = 1.0, 0.1, 1.1
BY_PANDAS = Path(__file__).with_name("scoring_by_pandas.py")
COLUMNS, TRAINING_ROWS, ROWS = 30, 50_000, 2_000_000
ESTIMATORS = {
    "logistic": "{estimator: sklearn.linear_model.LogisticRegression, params: {max_iter: 1000}}",
    "forest": "{estimator: sklearn.ensemble.RandomForestClassifier, params: {n_estimators: 50, n_jobs: 1}}",
}
PROJECT = """
name: {name}
task: classification
target: target
data: {{source: "{data}"}}
transform: {{using: standard_scaler}}
train: {train}
evaluate: {{metrics: [accuracy]}}
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="+", choices=tuple(ESTIMATORS), default=list(ESTIMATORS))
    parser.add_argument("--rows", type=int, default=ROWS)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        root = Path(name)
        write_files(root, asked.rows)
        for model in asked.models:
            folder = trained(root, model)
            measure_time(root, folder, model, asked.rounds)
            if model == "logistic":
                measure_memory(root, folder)
    return 0


def measure_time(root: Path, folder: Path, model: str, rounds: int) -> None:
    mlflow = program(environment("mlflow"), "mlflow")
    predicting = [mlflow, "models", "predict", "-m", "artifacts/model/mlflow_model", "--env-manager", "local"]
    predicting += ["-t", "csv", "-i", root / "big.csv", "-o", root / "out.json"]

    def from_parquet() -> Taken:
        return take(scoring(root, "big.parquet"), folder=folder)

    def from_csv() -> Taken:
        return take(scoring(root, "big.csv"), folder=folder)

    def by_pandas() -> Taken:
        return take(pandas_script(root), folder=folder)

    def by_mlflow() -> Taken:
        return take(predicting, folder=folder, env={"MLFLOW_DISABLE_TELEMETRY": "true"})

    in_turn(1, from_parquet)  # warms bytecode and page cache
    parquet, csv, pandas, mlflows = in_turn(rounds, from_parquet, from_csv, by_pandas, by_mlflow)
    report(f"scoring.{model}", parquet, pandas, peer="pandas script", goal=PANDAS_GOAL)
    report(f"scoring.{model}.mlflow", parquet, mlflows, peer="mlflow models predict", goal=MLFLOW_GOAL)
    report(f"scoring.{model}.csv", csv, mlflows, peer="mlflow models predict", goal=None)


def measure_memory(root: Path, folder: Path) -> None:
    whole = peak(scoring(root, "big.parquet"), folder)
    quarter = peak(scoring(root, "quarter.parquet"), folder)
    pandas = peak(pandas_script(root), folder)
    print_memory("scoring.memory.flat", whole, quarter, "a quarter of the rows", FLAT_GOAL)
    print_memory("scoring.memory", whole, pandas, "pandas script", None)


def scoring(root: Path, source: str) -> list[str | Path]:
    trilho = program(Path(sys.executable).parent, "trilho")
    return [trilho, "score", root / source, "-o", root / f"scored{Path(source).suffix}", "--model", "artifacts/model"]


def pandas_script(root: Path) -> list[str | Path]:
    return [sys.executable, BY_PANDAS, "artifacts/model/model.joblib", root / "big.parquet", root / "pandas.parquet"]


def peak(command: Sequence[str | Path], folder: Path) -> float:
    """The most memory (RSS, bytes) that a command has at once."""
    most = 0.0
    done = subprocess.Popen([str(word) for word in command], cwd=folder, stdout=subprocess.DEVNULL)
    watched = psutil.Process(done.pid)
    while done.poll() is None:
        try:
            most = max(most, watched.memory_info().rss)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.02)
    if done.wait():
        raise RuntimeError(f"{' '.join(map(str, command))} ended with {done.returncode}")
    return most


def print_memory(name: str, ours: float, theirs: float, peer: str, goal: float | None) -> None:
    mine, other = ours / 2**20, theirs / 2**20
    print(f"{name:<28} trilho {mine:6.0f} MB  {peer} {other:6.0f} MB  ratio {mine / other:.3f}")
    found = {"name": name, "ratio": round(mine / other, 4), "goal": goal, "ours": round(mine), "theirs": round(other)}
    print(json.dumps({**found, "unit": "MB", "peer": peer}), flush=True)


def trained(root: Path, model: str) -> Path:
    """A project folder whose model lies in artifacts/model: as a bundle, as MLflow's, and as joblib's."""
    folder = root / model
    folder.mkdir()
    data, train = (root / "train.parquet").as_posix(), ESTIMATORS[model]
    (folder / "trilho.yaml").write_text(PROJECT.format(name=model, data=data, train=train), encoding="utf-8")
    nowhere = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:1"}  # trained offline: no server takes part in what is measured
    command = [program(Path(sys.executable).parent, "trilho"), "run"]
    subprocess.run(command, cwd=folder, env={**os.environ, **nowhere}, check=True, stdout=subprocess.DEVNULL)
    return folder


def write_files(root: Path, rows: int) -> None:
    import numpy as np
    import pandas as pd
    import pyarrow as pa
    from pyarrow import csv
    from sklearn.datasets import make_classification

    values, truth = make_classification(TRAINING_ROWS, COLUMNS, n_informative=12, flip_y=0.05, random_state=0)
    frame = pd.DataFrame(values, columns=[f"x{number}" for number in range(COLUMNS)])
    frame.assign(target=truth).to_parquet(root / "train.parquet")
    chance = np.random.default_rng(0)
    big = frame.sample(rows, replace=True, random_state=0, ignore_index=True)
    big += chance.normal(scale=0.01, size=big.shape)
    big.insert(0, "id", np.arange(rows))
    big.to_parquet(root / "big.parquet")
    big[: rows // 4].to_parquet(root / "quarter.parquet")
    csv.write_csv(pa.Table.from_pandas(big, preserve_index=False), root / "big.csv")  # pandas takes a minute for it


if __name__ == "__main__":
    sys.exit(main())
