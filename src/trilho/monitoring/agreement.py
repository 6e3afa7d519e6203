"""How far the challenger and the champion agree, as frozen values."""

from __future__ import annotations

import msgspec


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """Rows that the champion gave one label, and the challenger another."""

    champion: str
    challenger: str
    rows: int


class Shadow(msgspec.Struct, frozen=True, kw_only=True):
    """What the challenger answers to rows that the champion answered.

    Args:
        version: Of the challenger.
        rows: That both answered.
        refused: That the challenger does not take.
        agreement: Of labels, the share of rows with the same; of numbers, Lin's concordance (1: the same numbers).
        interval: 95 %, of the share.
        kappa: Cohen's: how much of the agreement that chance does not give there is; None for numbers, and where both
            only ever give one and the same label.
        difference: Of numbers, how far they are apart on average.
        changes: The most frequent first.
        problem: Why there are no figures, as a sentence.
    """

    version: str
    rows: int = 0
    refused: int = 0
    agreement: float | None = None
    interval: tuple[float, float] | None = None
    kappa: float | None = None
    difference: float | None = None
    changes: tuple[Change, ...] = ()
    problem: str = ""
