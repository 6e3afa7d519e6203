"""1 for the rows to test on, 0 for the others."""

from pathlib import Path

import numpy as np
import pandas as pd
import yaml
from sklearn.model_selection import train_test_split

params = yaml.safe_load(Path("params.yaml").read_text(encoding="utf-8"))["split"]
rows = len(pd.read_parquet("work/data.parquet"))
_, test = train_test_split(np.arange(rows), **params)
parts = np.zeros(rows, dtype=np.uint8)
parts[test] = 1
np.save("work/parts.npy", parts)
