"""What NannyML's univariate drift calculator says of the simulated windows, with its defaults.

It learns its thresholds from the training rows, cut into chunks as large as the windows; so it is not asked about
windows as large as all of them, of which there is one. Its verdict on a column depends on that column alone.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Collection

import nannyml
import pandas as pd
from deployments import COLUMNS, Look, Named, Window, judged


def learn(training: Window, size: int) -> Look:
    frame = pd.DataFrame(dict(training))
    fitted: dict[tuple[str, ...], nannyml.UnivariateDriftCalculator] = {}

    def look(window: Window, asked: Collection[str]) -> Named:
        names = tuple(name for name in COLUMNS if name in asked)
        if names not in fitted:
            fitted[names] = nannyml.UnivariateDriftCalculator(
                column_names=list(names),
                treat_as_categorical=[name for name in names if name == "category"],
                chunk_size=size,
            ).fit(frame[list(names)])
        told = fitted[names].calculate(pd.DataFrame(dict(window))[list(names)]).filter(period="analysis").to_df()
        alerts = told.xs("alert", axis=1, level=2).any()
        return {"nannyml": {column for column, _method in alerts[alerts].index}}

    return look


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    judged(learn, share=None)
