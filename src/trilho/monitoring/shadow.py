"""What the challenger would have answered, beside what the champion did.

The model server has no part in it: rows that the champion answered are drawn from the journal and asked once more here.
However slow the challenger is, and whether it fails or not, no request waits for it.

Source:
    Cohen (1960), A coefficient of agreement for nominal scales, Educational and Psychological Measurement 20(1), 37-46;
    Lin (1989), A concordance correlation coefficient to evaluate reproducibility, Biometrics 45(1), 255-268.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from msgspec.structs import replace

from trilho.bundle import Schema
from trilho.errors import CannotPredict
from trilho.monitoring.agreement import Change, Shadow
from trilho.monitoring.drift.proportions import share_interval
from trilho.monitoring.sampling import Sample

if TYPE_CHECKING:
    from trilho.bundle import Predictions, Predictor

CHANGES = 5  # of one label into another that are named


def ask_challenger(answered: Sample, champion: Schema, challenger: Predictor, version: str, *, min_rows: int) -> Shadow:
    """Ask the challenger for the rows that were drawn, and compare.

    Args:
        answered: From the window, of the champion.
        version: Of the challenger.
        min_rows: Fewer answers say nothing.
    """
    if challenger.schema.task != champion.task:
        return Shadow(version=version, problem=f"It does {challenger.schema.task}, the champion {champion.task}.")
    parts = answered.parts()
    missing = [name for name in challenger.schema.names if any(name not in part.columns for part in parts)]
    if missing:
        return Shadow(version=version, problem=f"The journal does not keep '{missing[0]}', which it asks for.")
    before, after = [], []
    for part in parts:
        for taken, answers in _answers(challenger, part.columns, np.arange(len(part.labels))):
            before += part.labels[taken].tolist()
            after += answers.labels.tolist()
    found = Shadow(version=version, rows=len(before), refused=sum(len(part.labels) for part in parts) - len(before))
    if len(before) < max(min_rows, 1):
        return replace(found, problem=f"{min_rows:,} answers of both are needed, there are {len(before):,}.")
    return _labels(found, before, after) if champion.labels else _numbers(found, np.array(before), np.array(after))


# ----------------------------------------------------------------------------------------------------------------------


def _answers(
    model: Predictor, columns: Mapping[str, np.ndarray], rows: np.ndarray
) -> Iterator[tuple[np.ndarray, Predictions]]:
    """Places and answers of the rows that the model takes; those that it refuses are looked for by halves."""
    if not len(rows):
        return
    try:
        yield rows, model.predict({name: columns[name][rows] for name in model.schema.names})
    except CannotPredict:
        if len(rows) > 1:
            middle = len(rows) // 2
            yield from _answers(model, columns, rows[:middle])
            yield from _answers(model, columns, rows[middle:])


def _labels(found: Shadow, before: Sequence[object], after: Sequence[object]) -> Shadow:
    """Labels are compared as text: two versions may have been trained on a target of 0 and 1, and of 0.0 and 1.0."""
    pairs = Counter(zip(map(_text, before), map(_text, after), strict=True))
    same = sum(count for (one, other), count in pairs.items() if one == other)
    left, right = Counter[str](), Counter[str]()
    for (one, other), count in pairs.items():
        left[one] += count
        right[other] += count
    by_chance = sum(left[label] * right[label] for label in left) / found.rows**2
    share = same / found.rows
    changes = [
        Change(champion=one, challenger=other, rows=count)
        for (one, other), count in pairs.most_common()
        if one != other
    ]
    return replace(
        found,
        agreement=share,
        interval=share_interval(same, found.rows),
        kappa=(share - by_chance) / (1 - by_chance) if by_chance < 1 else None,
        changes=tuple(changes[:CHANGES]),
    )


def _numbers(found: Shadow, before: np.ndarray, after: np.ndarray) -> Shadow:
    apart = ((before - after) ** 2).mean()
    spread = before.var() + after.var() + (before.mean() - after.mean()) ** 2
    return replace(
        found,
        agreement=float(1 - apart / spread) if spread > 0 else 1.0,
        difference=float(np.abs(before - after).mean()),
    )


def _text(label: object) -> str:
    return str(int(label)) if isinstance(label, float) and label.is_integer() else str(label)
