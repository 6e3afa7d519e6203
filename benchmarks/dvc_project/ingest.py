"""The table with its target, checked."""

from pathlib import Path

import pandas as pd
import yaml

params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))
frame = pd.read_csv("data.csv")
if frame.empty or frame[params["target"]].isna().any():
    raise SystemExit("data.csv holds no rows, or rows without a target")
Path("work").mkdir(exist_ok=True)
frame.to_parquet("work/data.parquet")
