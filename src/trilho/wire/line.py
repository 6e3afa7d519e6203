"""The line to a tracking server that a run can do without: asked when first needed, given up at the first silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from trilho.errors import ServerRefused, ServerUnreachable, ServiceFailed
from trilho.wire.client import Client, connect
from trilho.wire.rights import FORBIDDEN, NOT_KNOWN

Answer = TypeVar("Answer")


class Line:
    """A server to ask as long as it answers.

    Args:
        find: The server's address; called at the first question, may start the server.
        seconds: How long one answer may take.
        say: Told once why no more is asked.
    """

    def __init__(self, find: Callable[[], str], *, seconds: float, say: Callable[[str], None]) -> None:
        self.trouble = ""  # why the server is not asked any more
        self.refused = False  # it answers, but not to us: no outage that passes by itself
        self._find = find
        self._seconds = seconds
        self._say = say
        self._client: Client | None = None

    def ask(self, question: Callable[[Client], Answer]) -> Answer | None:
        """What `question` made of a client of the server; None from the moment that the server fails us."""
        if self.trouble:
            return None
        try:
            if self._client is None:
                self._client = connect(self._find(), seconds=self._seconds)
            return question(self._client)
        except ServerRefused as error:
            self.refused = error.status in (NOT_KNOWN, FORBIDDEN)
            self._give_up(f"{error.what} {error.why}".strip(), str(error), "\n")
        except ServerUnreachable as error:
            self._give_up(error.what, error.what)
        except ServiceFailed as error:  # the local server does not start: why, and the way out
            self._give_up(error.what, str(error), "\n")
        return None

    def __enter__(self) -> Line:
        return self

    def __exit__(self, *exc: object) -> None:
        if self._client is not None:
            self._client.close()

    def _give_up(self, trouble: str, told: str, then: str = " ") -> None:
        self.trouble = trouble
        self._say(f"{told}{then}The run goes on without it; what is not sent yet waits in the spool: trilho sync")
