"""Drift of all columns by NannyML, one chunk: drift_by_nannyml.py TRAINING.parquet NOW.parquet"""

import sys

import nannyml
import pandas as pd

before, now = (pd.read_parquet(path) for path in sys.argv[1:3])
calculator = nannyml.UnivariateDriftCalculator(
    column_names=list(before.columns),
    continuous_methods=["kolmogorov_smirnov", "wasserstein"],
    chunk_number=1,
)
calculator.fit(before)
print(calculator.calculate(now).to_df().shape)
