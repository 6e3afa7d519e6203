"""The forest behind the scaler."""

from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import yaml
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import Pipeline

params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
frame = pd.read_parquet("work/data.parquet")
truth = frame.loc[np.load("work/parts.npy") == 0, params["target"]]
forest = RandomForestClassifier(**params["train"]).fit(joblib.load("work/features.joblib"), truth)
model = Pipeline([("transform", joblib.load("work/transformer.joblib")), ("estimator", forest)])
joblib.dump(model, "work/model.joblib")
