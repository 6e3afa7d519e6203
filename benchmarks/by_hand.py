"""The peer of pipeline.py: what somebody writes who fits, logs and registers with MLflow alone.

Logs what `trilho run` logs: parameters, train and test metrics, the classification report, four figures, the data set,
commit and environment, a model card, the model with signature and example; then a version and its alias. The choices
are the quick ones: pinned requirements (MLflow would otherwise infer them in a process of its own, for many seconds),
and as few requests as MLflow's client allows.

    python by_hand.py --data sklearn:breast_cancer --target target --name MODEL [--onnx]

with `--onnx` it also makes the ONNX model that trilho makes, checks on the test rows that it agrees, and logs it.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
from importlib.metadata import distributions, version
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import mlflow
import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from mlflow import MlflowClient
from mlflow.models import infer_signature
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import RandomForestClassifier
from sklearn.inspection import permutation_importance
from sklearn.metrics import (
    ConfusionMatrixDisplay,
    PrecisionRecallDisplay,
    RocCurveDisplay,
    accuracy_score,
    classification_report,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

POSITIVE = 0
IMPORTANCE_ROWS, REPEATS = 500, 3  # as trilho's


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--target", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--trees", type=int, required=True)
    parser.add_argument("--onnx", action="store_true")
    asked = parser.parse_args()

    frame = load_breast_cancer(as_frame=True).frame if ":" in asked.data else pd.read_parquet(asked.data)
    features, truth = frame.drop(columns=asked.target), frame[asked.target]
    x_train, x_test, y_train, y_test = train_test_split(features, truth, test_size=0.2, random_state=42, stratify=truth)
    forest = RandomForestClassifier(n_estimators=asked.trees, n_jobs=1, random_state=42)
    model = Pipeline([("transform", StandardScaler()), ("estimator", forest)]).fit(x_train, y_train)

    mlflow.set_experiment(asked.name)
    with mlflow.start_run(tags=git_tags()) as run:
        log_evaluation(model, x_train, x_test, y_train, y_test)
        dataset = mlflow.data.from_pandas(
            frame, source=None if ":" in asked.data else asked.data, targets=asked.target, name=asked.name
        )
        mlflow.log_input(dataset, context="training")
        log_documents(asked.name, model, len(x_train), len(x_test))
        info = log_model(model, x_train)
        if asked.onnx:
            log_onnx(model, x_test)
    registered = mlflow.register_model(info.model_uri, asked.name, tags={"run": run.info.run_id})
    MlflowClient().set_registered_model_alias(asked.name, "champion", registered.version)


def log_evaluation(model: Pipeline, x_train: Any, x_test: Any, y_train: Any, y_test: Any) -> None:
    mlflow.log_params({"transform": "standard_scaler", **model.named_steps["estimator"].get_params()})
    predicted, chance = model.predict(x_test), model.predict_proba(x_test)[:, POSITIVE]
    mlflow.log_metrics(
        {
            **scores("train", y_train, model.predict(x_train), model.predict_proba(x_train)[:, POSITIVE]),
            **scores("test", y_test, predicted, chance),
        }
    )
    mlflow.log_text(classification_report(y_test, predicted), "classification_report.txt")
    is_positive = y_test == POSITIVE
    for name, display in {
        "confusion_matrix": ConfusionMatrixDisplay.from_predictions(y_test, predicted),
        "roc_curve": RocCurveDisplay.from_predictions(is_positive, chance),
        "precision_recall_curve": PrecisionRecallDisplay.from_predictions(is_positive, chance),
    }.items():
        mlflow.log_figure(display.figure_, f"figures/{name}.png")
        plt.close(display.figure_)
    rows, labels = x_test, y_test
    if len(rows) > IMPORTANCE_ROWS:
        some = np.random.default_rng(0).choice(len(rows), IMPORTANCE_ROWS, replace=False)
        rows, labels = rows.iloc[some], labels.iloc[some]
    found = permutation_importance(model, rows, labels, n_repeats=REPEATS, random_state=0)
    order = np.argsort(found.importances_mean)[-20:]
    figure, axes = plt.subplots()
    axes.barh(rows.columns[order], found.importances_mean[order], xerr=found.importances_std[order])
    mlflow.log_figure(figure, "figures/permutation_importance.png")
    plt.close(figure)


def scores(part: str, truth: Any, predicted: Any, chance: Any) -> dict[str, float]:
    return {
        f"{part}_accuracy": accuracy_score(truth, predicted),
        f"{part}_precision": precision_score(truth, predicted, pos_label=POSITIVE),
        f"{part}_recall": recall_score(truth, predicted, pos_label=POSITIVE),
        f"{part}_f1": f1_score(truth, predicted, pos_label=POSITIVE),
        f"{part}_roc_auc": roc_auc_score(truth == POSITIVE, chance),
    }


def log_documents(name: str, model: Pipeline, train: int, test: int) -> None:
    card = f"# {name}\n\n{model.named_steps['estimator']}\n\nTrained on {train} rows, tested on {test}.\n"
    mlflow.log_text(card, "model_card.md")
    packages = sorted(f"{found.metadata['Name']}=={found.version}" for found in distributions())
    mlflow.log_text("\n".join([f"# Python {platform.python_version()}", *packages]), "environment.txt")


def log_model(model: Pipeline, x_train: pd.DataFrame) -> Any:
    return mlflow.sklearn.log_model(
        model,
        name="model",
        signature=infer_signature(x_train.head(100), model.predict(x_train.head(100))),
        input_example=x_train.head(2),
        pip_requirements=[f"{name}=={version(name)}" for name in ("mlflow", "scikit-learn", "skops", "pandas")],
        skops_trusted_types=["sklearn.tree._tree.Tree"],
    )


def log_onnx(model: Pipeline, x_test: pd.DataFrame) -> None:
    """Exact: the scaler in double, then a cast, then the trees."""
    import tempfile
    from pathlib import Path

    import onnxruntime
    from skl2onnx import to_onnx
    from skl2onnx.common.data_types import DoubleTensorType
    from skl2onnx.sklapi import CastTransformer

    scaler, forest = model.named_steps["transform"], model.named_steps["estimator"]
    exact = Pipeline([("transform", scaler), ("cast", CastTransformer()), ("estimator", forest)])
    graph = to_onnx(exact, initial_types=[("x", DoubleTensorType([None, x_test.shape[1]]))], options={"zipmap": False})
    session = onnxruntime.InferenceSession(graph.SerializeToString(), providers=["CPUExecutionProvider"])
    labels, chances = session.run(None, {"x": x_test.to_numpy(dtype=float)})
    if not (labels == model.predict(x_test)).all() or np.abs(chances - model.predict_proba(x_test)).max() > 1e-6:
        raise SystemExit("The ONNX model does not agree with the model.")
    with tempfile.TemporaryDirectory() as place:
        file = Path(place) / "model.onnx"
        file.write_bytes(graph.SerializeToString())
        mlflow.log_artifact(str(file), "onnx")


def git_tags() -> dict[str, str]:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False).stdout.strip()
    return {"git.commit": commit} if commit else {}


if __name__ == "__main__":
    main()
