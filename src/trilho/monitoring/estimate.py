"""How right answers probably are before anybody knows: an estimate from the model's own probabilities.

If a probability of 0.8 means right eight times in ten, then probabilities alone say how many answers are right. So
truths are drawn from them, hundreds of times, and each time the metric is taken as if that were the truth: its mean is
the estimate, and the middle 95 % of it are its interval, which says what chance does where the probabilities are right,
and nothing about whether they are.

They were right if at all on the version's test rows; so there is a number only where they were found to be, and the
reason where they were not. It follows inputs that move to where the model is less sure. It does NOT see that the same
inputs have come to mean something else (concept drift): then probabilities are wrong, and so is the estimate. It is a
reason to look, never an alarm: no exit code, no retraining and no floor depends on it.

Source:
    Kivimäki, Białek, Kuberski & Nurminen (2025), Performance estimation in binary classification using calibrated
    confidence, arXiv:2505.05295 (CBPE; its confusion matrix of random truths is drawn here, not integrated); Kivimäki,
    Białek, Nurminen & Kuberski (2025), Confidence-based estimators for predictive performance in model monitoring,
    Journal of Artificial Intelligence Research 82, arXiv:2407.08649 (for accuracy, and for several labels).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from msgspec.structs import replace

from trilho.bundle import Schema
from trilho.journal import Rows
from trilho.metrics import METRICS, Outcome
from trilho.metrics.calibration import Calibration
from trilho.monitoring.measured import Estimate, Estimated
from trilho.monitoring.sampling import Sample
from trilho.monitoring.watching import Reference

DRAWS = 200
MOST_ERROR = 0.05  # of probabilities, on average, that is still called calibrated
LEAST_CHANCE = 0.01  # of the deviation being chance, below which it is not
LEAST_TESTED = 100  # test rows that it takes to know


def estimate_metrics(
    answered: Sample,
    reference: Reference | None,
    *,
    metrics: Iterable[str],
    min_rows: int,
) -> Estimate | None:
    """Estimate metrics of the answers that were drawn.

    Args:
        answered: From the window, of the version that `reference` is of.
        metrics: Names; those that are not of classification are left out.
        min_rows: Fewer answers give no number.

    Returns:
        With the reason instead of numbers where there can be none; None for regression, which has no probabilities, and
        where nothing was answered.
    """
    if reference is None or not reference.schema.labels or not answered.seen:
        return None
    chances, predicted = _answers(answered.parts(), reference.schema)
    measured = reference.calibration
    found = Estimate(
        rows=answered.seen,
        tested=measured.rows if measured else 0,
        error=measured.error if measured else None,
        problem=_problem(measured, chances, answered.seen, min_rows),
    )
    if found.problem or chances is None:
        return found
    names = [name for name in dict.fromkeys(metrics) if name in METRICS and "classification" in METRICS[name].tasks]
    return replace(found, estimated=tuple(_estimated(names, chances, predicted, reference.schema)))


# ----------------------------------------------------------------------------------------------------------------------


def _answers(parts: Sequence[Rows], schema: Schema) -> tuple[np.ndarray | None, np.ndarray]:
    """Probabilities that sum to 1, shape (n, k), or None; and the labels that were answered."""
    predicted = np.concatenate([part.labels.astype(object) for part in parts])
    found = [part.probabilities for part in parts]
    wanted = len(schema.labels)
    known = [one for one in found if one is not None and one.ndim == 2 and one.shape[1] == wanted]
    if len(known) < len(found):
        return None, predicted
    chances = np.concatenate(known).astype(np.float64)
    sums = chances.sum(axis=1, keepdims=True)
    usable = np.isfinite(sums[:, 0]) & (sums[:, 0] > 0) & (chances >= 0).all(axis=1)
    return (chances[usable] / sums[usable], predicted[usable]) if usable.any() else (None, predicted)


def _problem(measured: Calibration | None, chances: np.ndarray | None, rows: int, min_rows: int) -> str:
    """Why there can be no number, as a sentence; "" where there can."""
    if chances is None:
        return "The journal holds no probabilities of this version."
    if measured is None:
        return "Whether its probabilities are right is not known: its bundle does not say. A version trained now does."
    if measured.rows < LEAST_TESTED:
        return (
            f"Whether its probabilities are right is not known: it was tested on {measured.rows:,} rows, "
            f"{LEAST_TESTED} are needed."
        )
    if measured.error > MOST_ERROR or measured.p_value < LEAST_CHANCE:
        return (
            f"Its probabilities do not mean what they say: on its {measured.rows:,} test rows they were off by "
            f"about {measured.error:.3f} ({MOST_ERROR:g} is allowed; p {measured.p_value:.2g}, at least "
            f"{LEAST_CHANCE:g} is asked)."
        )
    if rows < min_rows:
        return f"There are {rows:,} answers, {min_rows:,} are needed."
    return ""


def _estimated(names: Sequence[str], chances: np.ndarray, predicted: np.ndarray, schema: Schema) -> Iterator[Estimated]:
    dice = np.random.default_rng(0)
    borders = chances.cumsum(axis=1)[:, :-1]
    labels = np.empty(len(schema.labels), dtype=object)
    labels[:] = schema.labels
    drawn: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(DRAWS):
        truth = labels[(dice.random((len(chances), 1)) > borders).sum(axis=1)]
        outcome = Outcome(
            truth=truth, predicted=predicted, probabilities=chances, labels=schema.labels, positive=schema.positive
        )
        for name in names:
            drawn[name].append(float(METRICS[name].score(outcome)))
    for name, values in drawn.items():
        known = np.array(values)[np.isfinite(values)]
        if len(known) > DRAWS / 2:  # else it is mostly undefined, such as precision where nothing is called positive
            low, high = np.percentile(known, (2.5, 97.5)).tolist()
            yield Estimated(metric=name, value=float(known.mean()), interval=(low, high))
