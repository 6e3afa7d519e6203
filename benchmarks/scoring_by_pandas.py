"""What one would write without trilho: read all rows, ask the pipeline, write all rows.

python benchmarks/scoring_by_pandas.py MODEL.joblib IN.parquet OUT.parquet
"""

from __future__ import annotations

import sys

import joblib
import pandas as pd


def main(model_file: str, source: str, to: str) -> None:
    model = joblib.load(model_file)
    frame = pd.read_parquet(source)
    probabilities = model.predict_proba(frame[list(model.feature_names_in_)])
    frame["prediction"] = model.classes_[probabilities.argmax(axis=1)]
    for place, label in enumerate(model.classes_):
        frame[f"probability_{label}"] = probabilities[:, place]
    frame["model_version"] = "1"
    frame.to_parquet(to, index=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
