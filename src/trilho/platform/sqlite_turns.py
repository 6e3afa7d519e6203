"""SQLite has one writer at a time: those of this process wait for their turn in the order in which they came.

SQLite itself lets them ask again and again after pauses of up to 100 ms, and who comes first then is luck: beside seven
clients that log without a pause, an eighth waited 6 s, and after 20 s MLflow answers "database is locked". Other
processes on the same file are still waited for in SQLite's own way, and so are the milliseconds of a commit: the turn
goes on as it begins. Given back later, a handler that opens a second connection would wait for itself.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sqlalchemy import Connection

WAIT_SECONDS = 20.0  # MLflow's own patience with SQLite (PRAGMA busy_timeout); then SQLite decides

_WRITING = ("INSERT", "UPDATE", "DELETE", "REPLACE")
_TURN = "trilho.turn"


class Turns:
    """A lock that goes to who has waited longest."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    def take(self, seconds: float = WAIT_SECONDS) -> bool:
        """Wait for the turn; False where it did not come within `seconds`."""
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        if mine.wait(seconds):
            return True
        with self._guard:
            if mine.is_set():  # handed over in the last moment
                return True
            self._waiting.remove(mine)
            return False

    @property
    def waiting(self) -> int:
        """How many stand in the line."""
        return len(self._waiting)

    def give(self) -> None:
        """Hand the turn, which the caller has, to the next."""
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False


@contextmanager
def write_in_turn(turns: Turns | None = None) -> Iterator[None]:
    """While inside, each transaction of this process that writes takes its turn with its first statement.

    By SQLAlchemy's own events (https://docs.sqlalchemy.org/en/20/core/events.html), heard from every engine of the
    process: there should be SQLite's only.
    """
    from sqlalchemy import Engine, Pool, event

    line = turns or Turns()

    def before(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if _TURN not in connection.info and statement.lstrip()[:7].upper().startswith(_WRITING) and line.take():
            connection.info[_TURN] = True

    def after(connection: Connection) -> None:
        if not connection.invalidated:  # it has no info any more
            give(connection.info)

    def lost(_dbapi_connection: Any, record: Any, *_: Any) -> None:
        give(record.info)  # neither committed nor rolled back

    def give(info: dict[str, Any]) -> None:
        if info.pop(_TURN, None):
            line.give()

    heard = (
        (Engine, "before_cursor_execute", before),
        (Engine, "commit", after),
        (Engine, "rollback", after),
        (Pool, "invalidate", lost),
        (Pool, "checkin", lost),
    )
    for told in heard:
        event.listen(*told)
    try:
        yield
    finally:
        for told in heard:
            event.remove(*told)
