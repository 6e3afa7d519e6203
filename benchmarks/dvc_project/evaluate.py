"""Metrics and a figure, on the test rows."""

import json
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import yaml
from matplotlib.figure import Figure
from sklearn.metrics import ConfusionMatrixDisplay, accuracy_score, f1_score, precision_score, recall_score

params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
frame = pd.read_parquet("work/data.parquet")
frame = frame[np.load("work/parts.npy") == 1]
truth, rows = frame[params["target"]], frame.drop(columns=params["target"])
predicted = joblib.load("work/model.joblib").predict(rows)
found = {"accuracy": accuracy_score(truth, predicted)}
for score in (precision_score, recall_score, f1_score):
    found[score.__name__.removesuffix("_score")] = score(truth, predicted, pos_label=params["positive"])
Path("work/metrics.json").write_text(json.dumps(found), encoding="utf-8")
Path("work/figures").mkdir(exist_ok=True)
figure = Figure()
ConfusionMatrixDisplay.from_predictions(truth, predicted, ax=figure.add_subplot())
figure.savefig("work/figures/confusion_matrix.png")
