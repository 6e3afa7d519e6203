"""Ask again when the tracking server is only busy.

Under rival writers MLflow refuses what passes by itself: "database is locked" (503), a version number that others took
three times in a row (500), one tag or alias that two requests insert at once (400 BAD_REQUEST, its name for any other
error of the database).
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import TypeVar

from trilho.errors import ServerRefused

Answer = TypeVar("Answer")

ATTEMPTS = 8
LONGEST_PAUSE = 2.0  # seconds


def patiently(
    ask: Callable[[], Answer],
    *,
    landed: Callable[[], Answer | None] = lambda: None,
    pause: Callable[[float], None] = time.sleep,
) -> Answer:
    """The answer to `ask`, asked up to 8 times with growing, jittered pauses while the server says that it is busy.

    Args:
        ask: May be done twice without harm, unless `landed` is given.
        landed: What an attempt came to that did its work but was answered with an error; None if it did not.

    Raises:
        ServerRefused: any other refusal at once, and the last one after all attempts.
    """
    for attempt in range(ATTEMPTS):
        try:
            return ask()
        except ServerRefused as error:
            if not _passes(error):
                raise
            refusal = error
        pause(random.uniform(0, min(LONGEST_PAUSE, 0.05 * 2**attempt)))
        answer = landed()
        if answer is not None:
            return answer
    raise ServerRefused(
        f"The tracking server was asked {ATTEMPTS} times and refused each time.",
        why=f"{refusal.what} {refusal.why}",
        remedy="Try again when it is less busy; if it stays, see its log. For many writers use PostgreSQL or MySQL.",
        status=refusal.status,
        error_code=refusal.error_code,
    )


def _passes(error: ServerRefused) -> bool:
    return error.status >= 500 or error.status in (409, 429) or error.error_code == "BAD_REQUEST"
