"""The transforms that need no code. Read `default`, copy it into your project, change it, and name it in trilho.yaml:

    transform: {using: "features:build"}

Each is a factory: it takes the feature columns and returns an unfitted scikit-learn transformer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from trilho.data.dataset import Column

# A category seen in fewer rows than this shares one "infrequent" column with its like; it also bounds the width.
RAREST, WIDEST = 5, 50


def default(columns: Sequence[Column]) -> Any:
    """Numbers as they are, missing ones as the median; categories one column each, missing as a category.

    Text, time and image columns are left out: what they mean, only a transform of your own can know.
    """
    return _by_kind(columns, scaled=False)


def standard_scaler(columns: Sequence[Column]) -> Any:
    """As `default`, with numbers brought to mean 0 and deviation 1: what linear models and neighbours need."""
    return _by_kind(columns, scaled=True)


def none(columns: Sequence[Column]) -> Any:  # noqa: ARG001 - all factories are called alike
    """Columns as they are, for estimators that take missing values and categories themselves."""
    from sklearn.preprocessing import FunctionTransformer

    return FunctionTransformer(feature_names_out="one-to-one")


def left_out(columns: Sequence[Column]) -> list[str]:
    """The columns that `default` and `standard_scaler` do not use."""
    return [column.name for column in columns if column.kind not in ("number", "boolean", "category")]


def _by_kind(columns: Sequence[Column], *, scaled: bool) -> Any:
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import Pipeline, make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [column.name for column in columns if column.kind in ("number", "boolean")]
    categories = [column.name for column in columns if column.kind == "category"]
    fill: list[Any] = [SimpleImputer(strategy="median", keep_empty_features=True)]
    number_steps = [*fill, StandardScaler()] if scaled else fill
    words: Pipeline = make_pipeline(
        SimpleImputer(strategy="constant", fill_value="missing", keep_empty_features=True),
        OneHotEncoder(
            handle_unknown="infrequent_if_exist", min_frequency=RAREST, max_categories=WIDEST, sparse_output=False
        ),
    )
    if not categories and not left_out(columns) and not any(column.nullable for column in columns):
        return StandardScaler() if scaled else make_pipeline(*number_steps)
    parts = [("numbers", make_pipeline(*number_steps), numbers), ("categories", words, categories)]
    return ColumnTransformer([part for part in parts if part[2]], verbose_feature_names_out=False)
