"""A classifier two-sample test: can anything tell rows of now from rows of before?

As many rows of each side are put together and divided by chance into two halves. A classifier learns on one half which
side a row is from, and is asked about the other half. If both sides are of one distribution, nothing can be learned,
and each of the h held-out answers is right with a chance of one half:

    right answers ~ Binomial(h, 1/2),    p = P(at least as many)

It sees what no column shows alone, such as two columns that no longer belong together. The share of right answers is
the effect: 0.5 is guessing, 1 is telling them apart always. The area under the ROC curve stands beside it.

The classifier is scikit-learn's histogram gradient boosting, which takes numbers and missing values as they are;
categories are its numbers by falling frequency in training, texts their lengths; times and images are left out. It
learns what it can: a test that finds nothing has found nothing.

Source:
    Lopez-Paz & Oquab (2017), Revisiting classifier two-sample tests, ICLR 2017, arXiv:1610.06545 (its normal
    distribution of the statistic is the binomial one's limit; this is the binomial itself).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from trilho.bundle import Field
from trilho.bundle.columns import canonical, words

_WATCHED = ("number", "boolean", "category", "text")

Columns = Mapping[str, np.ndarray]


class WholeRowsTest(NamedTuple):
    """What came of it, on `held_out` rows of both sides."""

    accuracy: float
    auc: float
    p_value: float
    held_out: int


def whole_rows(before: Columns, now: Columns, fields: Sequence[Field], *, seed: int = 0) -> WholeRowsTest:
    """Test whether both were drawn from one distribution. Needs scikit-learn.

    Args:
        before, now: Rows as the journal holds them; of the longer side as many are drawn as the shorter one has.
        fields: Of the schema; those that one side does not have are left out.

    Returns:
        Accuracy 0.5 and p 1 where fewer than 4 rows or no column are there to learn from.

    Example:
        >>> dice = np.random.default_rng(0)
        >>> fields = [Field(name=name, kind="number", nullable=False) for name in ("a", "b")]
        >>> a, b = dice.normal(size=(2, 500))
        >>> found = whole_rows({"a": a, "b": a}, {"a": a, "b": b}, fields)  # each column is as it was
        >>> found.accuracy > 0.8, found.p_value < 1e-6, found.held_out
        (True, True, 500)
    """
    from scipy.stats import binom
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import roc_auc_score
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    dice = np.random.default_rng(seed)
    seen = [field for field in fields if field.kind in _WATCHED and field.name in before and field.name in now]
    sides = [_matrix(side, seen) for side in (before, now)]
    rows = min(len(side) for side in sides)
    if rows < 2 or not seen:
        return WholeRowsTest(0.5, 0.5, 1.0, 0)
    matrix = np.concatenate([side[dice.choice(len(side), rows, replace=False)] for side in sides])
    is_now = np.repeat([False, True], rows)
    order = dice.permutation(2 * rows)
    learned, asked = order[:rows], order[rows:]
    if len(np.unique(is_now[learned])) < 2 or len(np.unique(is_now[asked])) < 2:
        return WholeRowsTest(0.5, 0.5, 1.0, 0)
    model = HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=15, early_stopping=False, random_state=seed)
    with threadpool_limits(1):  # threads that wait for a core which another program has cost seconds
        model.fit(matrix[learned], is_now[learned])
        chances = model.predict_proba(matrix[asked])[:, 1]
    right = int(((chances > 0.5) == is_now[asked]).sum())
    return WholeRowsTest(
        accuracy=right / len(asked),
        auc=float(roc_auc_score(is_now[asked], chances)),
        p_value=float(binom.sf(right - 1, len(asked), 0.5)),
        held_out=len(asked),
    )


# ----------------------------------------------------------------------------------------------------------------------


def _matrix(columns: Columns, fields: Sequence[Field]) -> np.ndarray:
    """Numbers, NaN where there is no value. Shape (n, fields)."""
    rows = len(next(iter(columns.values()), ()))
    found = np.full((rows, len(fields)), np.nan)
    for place, field in enumerate(fields):
        found[:, place] = _as_numbers(field, columns[field.name])
    return found


def _as_numbers(field: Field, values: np.ndarray) -> np.ndarray:
    given = canonical(field, values)
    if field.kind == "number":
        return given
    if field.kind == "text":
        return np.array([np.nan if value is None else float(len(value)) for value in given], dtype=np.float64)
    places = {value: float(place) for place, value in enumerate(field.values)}
    unknown = float(len(places))
    return np.array([np.nan if value is None else places.get(value, unknown) for value in words(field, given)])
