"""Waiting for another server: asked again until it answers, will never, or the deadline passed."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from trilho.errors import ServiceFailed
from trilho.platform.service import Say

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 2.0  # seconds
_SAID_EVERY = 15.0


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Why a server cannot be used (yet)."""

    what: str
    why: str
    remedy: str
    final: bool  # waiting does not help: a wrong password


def wait_for(name: str, ask: Callable[[], Trouble | None], *, seconds: float, say: Say) -> None:
    """Returns once `ask` finds no trouble.

    Args:
        name: What is waited for, for people: "the database at …".
        ask: One try, a few seconds long at most.
        seconds: How long trouble that may pass is waited out.
        say: Told at the first trouble, and from time to time.

    Raises:
        ServiceFailed: the trouble is final, or the deadline passed.
    """
    began = time.monotonic()
    pause, said = _FIRST_PAUSE, 0.0
    while (trouble := ask()) is not None:
        waited = time.monotonic() - began
        if trouble.final or waited >= seconds:
            why = trouble.why if trouble.final else f"After {waited:.0f} s: {trouble.why}"
            raise ServiceFailed(trouble.what, state="Nothing was started.", why=why, remedy=trouble.remedy)
        if not said or time.monotonic() - said > _SAID_EVERY:
            said = time.monotonic()
            say(f"Waiting for {name}, up to {seconds - waited:.0f} s more: {trouble.what}")
        time.sleep(min(pause, max(0.0, seconds - waited)))
        pause = min(pause * 1.5, _LONGEST_PAUSE)
