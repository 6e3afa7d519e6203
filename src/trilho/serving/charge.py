"""Who is in charge: the pointer, moved by one process, and what it says about itself in the log and the state."""

from __future__ import annotations

import logging
import threading
import time
from pathlib import Path

from trilho.serving.pointer import Pointer, Promotion, Target, write_pointer
from trilho.serving.state import StateFile

_log = logging.getLogger("trilho.serving")


class Charge:
    """Moves the pointer in the folder `run`. Safe from several threads."""

    def __init__(self, run: Path, state: StateFile) -> None:
        self.pointer = Pointer(number=0, target=None, since=0.0)
        self.noticed = (0, 0.0)  # number of a pointer, and when its version was first seen, by the monotonic clock
        self._run, self._state = run, state
        self._lock = threading.Lock()

    def point(self, target: Target | None, *, first: bool = False, seen: float = 0.0) -> bool:
        """Put a model in charge (None: there is none); whether that was done.

        Args:
            first: Only where nothing was pointed to so far.
            seen: When this version was noticed, by the monotonic clock; 0 where that is not to be measured.
        """
        with self._lock:
            before = self.pointer
            if first and before.number:
                return False
            moved = before.target is not None and not before.target.same_model(target)
            previous = before.target if moved else before.previous
            after = Pointer(number=before.number + 1, target=target, previous=previous, since=time.time())
            self.noticed = (after.number, seen)
            write_pointer(self._run, after)
            self.pointer = after
        if target is None:
            self._state.change(name="", version="", since=0.0, promotion=None)
            return True
        self._state.change(
            name=target.name,
            version=target.version,
            since=after.since,
            promotion=target.promotion,
            reloads=self._state.now.reloads + moved,
        )
        if before.number and not target.same_model(before.target):
            was = f", was v{before.target.version}" if before.target is not None else ""
            _log.info("%s is in charge%s%s.", named(target), was, _because(target.promotion))
        return True


def named(target: Target) -> str:
    """A model in words."""
    return f"{target.name} v{target.version}"


# ----------------------------------------------------------------------------------------------------------------------


def _because(promotion: Promotion | None) -> str:
    if promotion is None:
        return ""
    return f" ({promotion.kind} by {promotion.who}{': ' + promotion.why if promotion.why else ''})"
