"""Which columns the model leans on: the score that is lost when a column's values are shuffled among the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from trilho.steps.materials import TEST, Materials

if TYPE_CHECKING:
    import pandas as pd

# A forest answers ten thousand rows nearly as fast as a hundred, so many shuffled copies are asked at once; and yet
# few enough that 200 columns of them stay small in memory.
_ROWS_AT_ONCE = 20_000

# The model is asked repeats x columns times: bounded, so that 200 columns do not take a minute.
_ROWS, _REPEATS = 500, 3

Score = Callable[[np.ndarray, np.ndarray], float]  # truth, predicted → higher is better


def permutation_importance(
    model: Any, rows: pd.DataFrame, truth: np.ndarray, score: Score, *, repeats: int, random_state: int = 0
) -> np.ndarray:
    """How much `score` falls when one column is shuffled: what the model learned from that column alone.

    What sklearn.inspection.permutation_importance measures; there each shuffled copy is a call of its own. Columns
    that say the same share their importance: none of them may matter where the others are left.

    Args:
        model: Anything with `predict`, which answers each row for itself.
        rows: Rows it was not trained on.
        truth: Shape (n,).
        score: Of the truth and the answers.
        repeats: Shuffles of each column.

    Returns:
        Shape (columns, repeats), in units of the score. About 0: the column does not matter.

    Source:
        Breiman (2001), Random Forests, Machine Learning 45(1), 5-32.
    """
    chance = np.random.default_rng(random_state)
    shuffles = [(column, chance.permutation(len(rows))) for column in range(rows.shape[1]) for _ in range(repeats)]
    whole = score(truth, np.asarray(model.predict(rows)))
    answers = (answer for some in _batches(shuffles, len(rows)) for answer in _answers(model, rows, some))
    lost = [whole - score(truth, answer) for answer in answers]
    return np.array(lost).reshape(rows.shape[1], repeats)


def lost_by_shuffling(materials: Materials) -> np.ndarray:
    """Permutation importance on some of the test rows, three shuffles each: in right answers, or in R² for numbers.

    Returns:
        Shape (columns, 3), in the order of `materials.test_rows`.
    """
    rows, truth = materials.test_rows, materials.truth(TEST)
    if len(rows) > _ROWS:
        some = np.random.default_rng(0).choice(len(rows), _ROWS, replace=False)
        rows, truth = rows.iloc[some], truth[some]
    score = _explained if materials.project.task == "regression" else _right
    return permutation_importance(materials.model, rows, truth, score, repeats=_REPEATS)


# ----------------------------------------------------------------------------------------------------------------------

_Shuffle = tuple[int, np.ndarray]  # which column, and the order its values take


def _batches(shuffles: Sequence[_Shuffle], rows: int) -> Iterator[Sequence[_Shuffle]]:
    size = max(1, _ROWS_AT_ONCE // max(1, rows))
    return (shuffles[start : start + size] for start in range(0, len(shuffles), size))


def _answers(model: Any, rows: pd.DataFrame, shuffles: Sequence[_Shuffle]) -> list[np.ndarray]:
    """The answers to the rows with each of the shuffles. Each of shape (n,)."""
    import pandas as pd

    plain = np.tile(np.arange(len(rows)), len(shuffles))
    places = dict.fromkeys(rows.columns, plain)
    for turn, (column, order) in enumerate(shuffles):
        name = rows.columns[column]
        places[name] = places[name].copy() if places[name] is plain else places[name]
        places[name][turn * len(rows) : (turn + 1) * len(rows)] = order
    stacked = pd.DataFrame({name: rows[name].take(place).reset_index(drop=True) for name, place in places.items()})
    return np.split(np.asarray(model.predict(stacked)), len(shuffles))


def _right(truth: np.ndarray, predicted: np.ndarray) -> float:
    """Share of right answers: what a classifier's own score is, for estimators that have none."""
    return float(np.mean(predicted == truth))


def _explained(truth: np.ndarray, predicted: np.ndarray) -> float:
    """R²: what a regressor's own score is."""
    from sklearn.metrics import r2_score

    return float(r2_score(truth, predicted))
