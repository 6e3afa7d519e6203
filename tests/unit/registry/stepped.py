"""Run several users of one store in turns that a test decides, one store call at a time, and kill them in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, Literal, cast

from trilho.errors import TrilhoError
from trilho.registry import VersionStore

Order = Literal["go", "die before", "die after"]


class Killed(BaseException):
    """As kill -9 looks from inside: nothing of the victim runs after it."""


class Stepped(threading.Thread):
    """One user of the store. It stands still before each store call until `step` lets it go on."""

    def __init__(self, task: Callable[[VersionStore], object], store: VersionStore) -> None:
        super().__init__(daemon=True)
        self._task = task
        self._store = store
        self._order: Order = "go"
        self._may_go = threading.Semaphore(0)
        self._stands = threading.Semaphore(0)
        self.result: object = None
        self.refusal: TrilhoError | None = None
        self.crash: BaseException | None = None
        self.killed = False
        self.done = False
        self.start()
        self._stands.acquire()

    def step(self, order: Order = "go") -> None:
        """Let it do its next store call and run on to the one after; or kill it before or after that call."""
        if self.done:
            return
        self._order = order
        self._may_go.release()
        self._stands.acquire()

    def run(self) -> None:
        try:
            self.result = self._task(cast("VersionStore", _Turnstile(self)))
        except Killed:
            self.killed = True
        except TrilhoError as error:
            self.refusal = error
        except BaseException as error:
            self.crash = error
        finally:
            self.done = True
            self._stands.release()

    def call(self, method: str, *args: Any, **named: Any) -> Any:
        self._stands.release()
        self._may_go.acquire()
        order = self._order
        if order == "die before":
            raise Killed
        answer = getattr(self._store, method)(*args, **named)
        if order == "die after":
            raise Killed
        return answer


class _Turnstile:
    def __init__(self, user: Stepped) -> None:
        self._user = user

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return lambda *args, **named: self._user.call(method, *args, **named)


def run_all(users: list[Stepped], schedule: list[tuple[int, int, Order]]) -> None:
    """Bursts as the schedule says (who, how many calls, the order for the last of them), then in turn to the end."""
    for index, calls, order in schedule:
        user = users[index % len(users)]
        for _ in range(calls - 1):
            user.step()
        user.step(order)
    turns = 0
    while not all(user.done for user in users):
        for user in users:
            user.step()
        turns += 1
        assert turns < 10_000, "somebody goes round in circles"
    for user in users:
        if user.crash is not None:
            raise user.crash
