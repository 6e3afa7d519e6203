"""As many requests at once as there are connections to the database for: the rest waits, in order, and none fails.

MLflow's handlers run in up to 40 threads, some of them hold two connections at a time, and its pool has 15. From 16
clients on that log at once, all connections are held by threads that wait for another one: nothing moves for 30 s, and
then each is answered 400 "QueuePool limit of size 5 overflow 10 reached".
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import MutableMapping

from trilho.platform.tracking_metrics import Asgi, Message, Receive, Send

AT_ONCE = 10  # requests; one process of Python hardly does more by more threads
PER_REQUEST = 3  # connections; two were seen at most

# Files in transit: they take minutes, and no connection.
_FREE = ("/mlflow-artifacts/", "/static-files/", "/health", "/version")

_SIZE, _OVERFLOW = "MLFLOW_SQLALCHEMYSTORE_POOL_SIZE", "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW"
_SQLALCHEMY_SIZE, _SQLALCHEMY_OVERFLOW = 5, 10


def pool_settings(environment: MutableMapping[str, str] = os.environ) -> dict[str, str]:
    """The size of MLflow's pool, by its own names; nothing where somebody has set one."""
    if environment.get(_SIZE) or environment.get(_OVERFLOW):
        return {}
    return {_SIZE: str(AT_ONCE), _OVERFLOW: str(AT_ONCE * (PER_REQUEST - 1))}


def admitted_at_once(environment: MutableMapping[str, str] = os.environ) -> int:
    """How many requests the pool is enough for."""
    size, overflow = environment.get(_SIZE) or _SQLALCHEMY_SIZE, environment.get(_OVERFLOW) or _SQLALCHEMY_OVERFLOW
    return max(1, (int(size) + int(overflow)) // PER_REQUEST)


class Admitted:
    """An ASGI application that lets another one work on `at_once` requests at a time.

    A request counts from the moment its body is there until its answer begins: a slow client keeps nobody waiting.
    """

    def __init__(self, app: Asgi, at_once: int) -> None:
        self._app = app
        self._turns = asyncio.Semaphore(at_once)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or any(part in scope["path"] for part in _FREE):
            await self._app(scope, receive, send)
            return
        held = done = False

        async def received() -> Message:
            nonlocal held
            message = await receive()
            if message["type"] == "http.request" and not message.get("more_body") and not (held or done):
                await self._turns.acquire()
                held = True
            return message

        async def sent(message: Message) -> None:
            leave()
            await send(message)

        def leave() -> None:
            nonlocal held, done
            done = True
            if held:
                held = False
                self._turns.release()

        try:
            await self._app(scope, received, sent)
        finally:
            leave()
