"""What a decision on retraining is made from, gathered from the registry and the journal."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from pathlib import Path

import numpy as np

from trilho import journal, registry
from trilho.errors import JournalUnreadable
from trilho.monitoring.keeping import FOLDER, PERFORMANCE, latest
from trilho.monitoring.measured import Performance
from trilho.monitoring.report import Report
from trilho.monitoring.retraining import Evidence
from trilho.registry import VersionStore


def gather(
    store: VersionStore,
    name: str,
    folder: Path,
    *,
    report: Report | None = None,
    performance: Performance | None = None,
    asked: str = "",
    now: float | None = None,
) -> Evidence:
    """What is known now of the model `name`.

    Args:
        folder: The journal's.
        report, performance: What monitoring just found; without them, what it left in the journal.
        asked: Who says that it shall be trained again now.

    Raises:
        JournalUnreadable: labels or answers may not be read.
        ServerUnreachable, ServerRefused: the registry did not say.
    """
    now = time.time() if now is None else now
    claims = registry.claims(store, name)
    champion = registry.champion(store, name)
    learned = max((one.began for one in claims if one.ended and not one.fruitless), default=0.0)
    with suppress(JournalUnreadable):  # a damaged report is as good as none
        report = report or latest(folder)
    return Evidence(
        now=now,
        model=name,
        version=str(champion.number) if champion else "",
        trained=champion.created if champion else 0.0,
        report=report,
        performance=performance or _measured(folder),
        new_labels=new_labels(folder, name, since=learned, until=now),
        claim=claims[-1] if claims else None,
        asked=asked,
    )


def new_labels(folder: Path, model: str, *, since: float, until: float = math.inf) -> int:
    """How many answers of a model, whichever version gave them, have a truth that came in since < time <= until.

    A truth that came again counts as new: it may have changed.
    """
    truth = journal.read_truth(folder, since=since)
    if not truth.labels:
        return 0
    found = 0
    for labelled in journal.read_labelled(folder, since=0.0, until=_END, truth=truth, columns=(), model=model):
        times = labelled.times.astype("datetime64[us]").astype(np.int64) / 1e6
        found += int(((times > since) & (times <= until)).sum())
    return found


# ----------------------------------------------------------------------------------------------------------------------

_END = 253_402_300_799.0  # of the year 9999: windows are counted in microseconds that Arrow can hold


def _measured(folder: Path) -> Performance | None:
    try:
        return Performance.from_json((folder / FOLDER / PERFORMANCE).read_bytes())
    except (OSError, JournalUnreadable):
        return None
