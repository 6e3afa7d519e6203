"""The scaler, fitted on the training rows, and what it makes of them."""

from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import yaml
from sklearn.preprocessing import StandardScaler

params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
frame = pd.read_parquet("work/data.parquet")
rows = frame[np.load("work/parts.npy") == 0].drop(columns=params["target"])
scaler = StandardScaler().set_output(transform="pandas")
joblib.dump(scaler.fit_transform(rows), "work/features.joblib")
joblib.dump(scaler, "work/transformer.joblib")
