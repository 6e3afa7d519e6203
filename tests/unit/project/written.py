"""A project as short as it can be."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

LEAST = """\
name: shop
task: classification
target: churn
data: {source: shop.csv}
train: {estimator: sklearn.ensemble.RandomForestClassifier}
"""

Write: TypeAlias = Callable[..., Path]  # (text, name="trilho.yaml") → the folder it was written to
