"""Decisions to do nothing, in the journal's folder: reports/decisions-2026-01-31.jsonl, one line each.

Decisions that something is done are in the registry's history; these concern nobody else. They age out with the
reports beside them.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from trilho.errors import JournalUnwritable
from trilho.monitoring.keeping import FOLDER
from trilho.monitoring.retraining import Decision

_PREFIX = "decisions-"


def keep_decision(journal: Path, decision: Decision) -> None:
    """Add a decision to those of its day. Several monitors may do so at once.

    Raises:
        JournalUnwritable: no room, or the folder is not ours.
    """
    path = journal / FOLDER / f"{_PREFIX}{time.strftime('%Y-%m-%d', time.gmtime(decision.at))}.jsonl"
    # The line's end comes first: what a killed writer left half-written stays a line of its own.
    line = b"\n" + msgspec.json.encode(decision)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab", buffering=0) as file:
            file.write(line)
    except OSError as error:
        raise JournalUnwritable(
            f"A decision on retraining could not be kept in {path}: {error.strerror or error}.",
            state="It was not to train again; nothing else is affected.",
            remedy="Make room or correct the permissions of the folder.",
        ) from error


def decided(journal: Path, *, since: float = 0.0) -> Iterator[Decision]:
    """Decisions to do nothing made at or after `since` (seconds since 1970), oldest first; damaged lines left out."""
    for path in sorted((journal / FOLDER).glob(f"{_PREFIX}*.jsonl")):
        for line in path.read_bytes().splitlines():
            with suppress(msgspec.DecodeError, UnicodeDecodeError):
                decision = msgspec.json.decode(line, type=Decision)
                if decision.at >= since:
                    yield decision
