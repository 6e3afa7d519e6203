"""Drift of all columns by Evidently's own preset: drift_by_evidently.py TRAINING.parquet NOW.parquet [PAGE.html]"""

import sys

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

before, now = (pd.read_parquet(path) for path in sys.argv[1:3])
definition = DataDefinition(numerical_columns=list(before.columns))
reference, current = (Dataset.from_pandas(frame, data_definition=definition) for frame in (before, now))
found = Report([DataDriftPreset()]).run(current, reference)
print(len(found.json()))
if len(sys.argv) > 3:
    found.save_html(sys.argv[3])
