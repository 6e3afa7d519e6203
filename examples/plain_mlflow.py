"""The champion with plain MLflow, on a machine where trilho was never installed.

MLFLOW_TRACKING_URI=http://127.0.0.1:5000 python examples/plain_mlflow.py NAME rows.csv
"""

from __future__ import annotations

import sys

import mlflow
import pandas as pd


def main(name: str, rows: str) -> None:
    model = mlflow.pyfunc.load_model(f"models:/{name}@champion")
    schema = model.metadata.get_input_schema()
    frame = pd.read_csv(rows)[schema.input_names()]
    numbers = [column.name for column in schema.inputs if column.type.name == "double"]
    for answer in model.predict(frame.astype(dict.fromkeys(numbers, float))):  # MLflow takes no whole number for one
        print(answer)


if __name__ == "__main__":
    main(*sys.argv[1:])
