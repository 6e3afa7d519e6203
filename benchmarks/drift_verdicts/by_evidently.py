"""What Evidently says of the simulated windows, with the defaults of its own preset.

Its verdict on a column depends on that column alone, so that where one is asked about, one is looked at.
"""

from __future__ import annotations

import warnings
from collections.abc import Collection

import pandas as pd
from deployments import NUMBERS, Look, Named, Window, judged
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset


def learn(training: Window, _size: int) -> Look:
    before = _dataset(training)

    def look(window: Window, asked: Collection[str]) -> Named:
        preset = DataDriftPreset(columns=list(asked))
        told = Report([preset], include_tests=True).run(_dataset(window), before)
        named = set()
        for test in told.dict()["tests"]:
            if test["id"] == "drift" and test["status"].value == "FAIL":
                named.add(test["metric_config"]["params"]["column"])
        return {"evidently": named}

    return look


def _dataset(rows: Window) -> Dataset:
    definition = DataDefinition(numerical_columns=list(NUMBERS), categorical_columns=["category"])
    return Dataset.from_pandas(pd.DataFrame(dict(rows)), data_definition=definition)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    judged(learn, share=0.5)  # the preset's own
