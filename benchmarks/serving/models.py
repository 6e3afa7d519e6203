"""The five models, each made once by trilho itself, so that every server answers with the same one.

    python benchmarks/serving/models.py

Each is a project in .bench/serving/NAME. `trilho run` leaves artifacts/model there: the bundle for trilho, mlflow_model
for MLflow's own servers, model.joblib for servers written by hand. Beside it `peer/` gets what a person would take out
of the bundle (the ONNX graph, the numbers that stand for words, the labels), and the request bodies.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from environments import BENCH

FOLDER = BENCH / "serving"
CODE = Path(__file__).with_name("features.py")  # the custom transformer
TABLE, TARGET, TABLE_ROWS = "rows.csv", "outcome", 5_000
MADE = "3"  # counted up where the models change, so that old ones are made anew

CANCER = {"data": {"source": "sklearn:breast_cancer"}, "target": "target", "positive_class": 0}
SCALED = {**CANCER, "transform": {"using": "standard_scaler"}}
FOREST = {"estimator": "sklearn.ensemble.RandomForestClassifier", "params": {"n_estimators": 200, "n_jobs": 1}}
LINEAR = {"estimator": "sklearn.linear_model.LogisticRegression", "params": {"max_iter": 1000}}
HISTOGRAM = {"estimator": "sklearn.ensemble.HistGradientBoostingClassifier"}
LIGHTGBM = {"estimator": "lightgbm.LGBMClassifier", "params": {"n_estimators": 100, "n_jobs": 1, "verbose": -1}}
PROJECTS: dict[str, dict[str, Any]] = {
    "forest": {**SCALED, "train": FOREST},
    "linear": {**SCALED, "train": LINEAR},
    "histogram": {**SCALED, "train": HISTOGRAM},
    "lightgbm": {"data": {"source": TABLE}, "target": TARGET, "transform": {"using": "default"}, "train": LIGHTGBM},
    "custom": {**CANCER, "transform": {"using": "features:Ratios"}, "train": LINEAR},
}
ABOUT = {
    "forest": "forest of 200 trees behind a scaler, 30 numbers",
    "linear": "logistic regression behind a scaler, 30 numbers",
    "histogram": "HistGradientBoosting, 30 numbers",
    "lightgbm": "lightgbm, 100 trees, 4 numbers and 3 text categories, some missing",
    "custom": "a transformer of the user's own, logistic regression, 30 numbers",
}


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model on this disk. `compiled`: trilho answers with the ONNX graph; so do servers written by hand."""

    name: str
    folder: Path
    compiled: bool
    columns: list[str]
    row: dict[str, Any]

    @property
    def bundle(self) -> Path:
        return self.folder / "artifacts" / "model" / "bundle.tar"

    @property
    def mlflow(self) -> Path:
        return self.folder / "artifacts" / "model" / "mlflow_model"

    def body(self, rows: int) -> Path:
        """A request of so many rows, as dataframe_split."""
        return self.folder / "peer" / f"{rows}.json"


def made(name: str) -> Model:
    """The model, made if it is not there."""
    folder = FOLDER / name
    ready = folder / "peer" / "made"
    if not ready.exists() or ready.read_text(encoding="utf-8") != MADE:
        print(f"Making {ABOUT[name]} …", flush=True)
        shutil.rmtree(folder, ignore_errors=True)  # `trilho run` would keep a model whose project is the same
        _run(name, folder)
        _take_out(folder)
        _write_bodies(folder, _rows(name))
        ready.write_text(MADE, encoding="utf-8")
    facts = json.loads((folder / "peer" / "model.json").read_text(encoding="utf-8"))
    one = json.loads((folder / "peer" / "1.json").read_text(encoding="utf-8"))["dataframe_split"]
    row = dict(zip(one["columns"], one["data"][0], strict=True))
    return Model(name=name, folder=folder, compiled=facts["compiled"], columns=facts["columns"], row=row)


# ----------------------------------------------------------------------------------------------------------------------


def _run(name: str, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "name": f"bench-{name}",
        "task": "classification",
        **PROJECTS[name],
        "evaluate": {"champion": {"metric": "accuracy", "margin": 0.05}},
        "register": {"promote": "always"},
        "serve": {"trust_code": True},
    }
    (folder / "trilho.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
    if name == "lightgbm":
        _mixed_table().to_csv(folder / TABLE, index=False)
    if name == "custom":
        (folder / CODE.name).write_text(CODE.read_text(encoding="utf-8"), encoding="utf-8")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("MLFLOW_", "TRILHO_"))}
    trilho, env = [sys.executable, "-m", "trilho.cli"], {**kept, "MLFLOW_DISABLE_TELEMETRY": "true"}
    try:
        subprocess.run([*trilho, "run"], cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL)
    finally:
        subprocess.run([*trilho, "down"], cwd=folder, env=env, check=False, stdout=subprocess.DEVNULL)


def _take_out(folder: Path) -> None:
    """What servers written by hand need, as plain files."""
    peer = folder / "peer"
    peer.mkdir(exist_ok=True)
    with tarfile.open(folder / "artifacts" / "model" / "bundle.tar") as archive:
        names = archive.getnames()

        def read(name: str) -> bytes:
            found = archive.extractfile(name)
            assert found is not None
            return found.read()

        schema = json.loads(read("schema.json"))
        compiled = "model.onnx" in names
        if compiled:
            (peer / "model.onnx").write_bytes(read("model.onnx"))
        facts = {
            "compiled": compiled,
            "columns": [field["name"] for field in schema["fields"]],
            "words": [field["name"] for field in schema["fields"] if field["kind"] == "category"],
            "codes": json.loads(read("words.json")) if "words.json" in names else {},
            "labels": schema["labels"],
        }
    (peer / "model.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")


def _write_bodies(folder: Path, rows: pd.DataFrame) -> None:
    for count in (1, 100):
        split = json.loads(rows[:count].to_json(orient="split", index=False, double_precision=15))
        body = json.dumps({"dataframe_split": {"columns": split["columns"], "data": split["data"]}})
        (folder / "peer" / f"{count}.json").write_text(body, encoding="utf-8")


def _rows(name: str) -> pd.DataFrame:
    if name == "lightgbm":
        rows = pd.read_csv(FOLDER / name / TABLE).drop(columns=TARGET)
        return rows.loc[rows.isna().any(axis=1).sort_values(ascending=False, kind="stable").index]  # missing ones first
    from sklearn.datasets import load_breast_cancer

    return load_breast_cancer(as_frame=True).data


def _mixed_table() -> pd.DataFrame:
    chance = np.random.default_rng(3)
    cities = ["São Paulo", "Recife", "Ourém", "Itu, SP", "Natal", "Belém"]
    frame = pd.DataFrame(
        {
            "income": chance.lognormal(8, 1, TABLE_ROWS).round(2),
            "age": chance.integers(18, 90, TABLE_ROWS).astype(float),
            "visits": chance.poisson(3, TABLE_ROWS).astype(float),
            "balance": chance.normal(0, 1000, TABLE_ROWS).round(2),
            "city": chance.choice(cities, TABLE_ROWS),
            "plan": chance.choice(["free", "basic", "full"], TABLE_ROWS),
            "street": chance.choice([f"street {place}" for place in range(40)], TABLE_ROWS),
        }
    )
    score = np.log(frame["income"]) + 2 * (frame["city"] == "Recife") + frame["visits"] / 4 + chance.normal(size=5_000)
    frame[TARGET] = np.where(score > score.median(), "stays", "leaves")
    for column, share in (("income", 0.1), ("age", 0.05), ("city", 0.15), ("plan", 0.05)):
        frame.loc[chance.random(TABLE_ROWS) < share, column] = None
    return frame


if __name__ == "__main__":
    for each in PROJECTS:
        model = made(each)
        print(f"{each:<10} {'compiled' if model.compiled else 'native':<9} {ABOUT[each]}")
