"""The way to the door: FastAPI is loaded with the first request for it, its routes are made for each version."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from trilho.serving.app import Asgi
from trilho.serving.asking import Desk
from trilho.serving.invocations import Limits
from trilho.serving.pointer import Promotion
from trilho.serving.slot import Served
from trilho.serving.state import State

# What is counted by name, and whether it asks the model: then it needs a key, a model, and a free place.
PATHS = {"/": False, "/model": False, "/docs": False, "/openapi.json": False, "/favicon.ico": False, "/predict": True}


class Doorway:
    """Finds the door of a version.

    Args:
        keys: Does the server ask for API keys?
        state: What the parent process knows.
    """

    def __init__(self, desk: Desk, *, keys: bool, limits: Limits, state: Callable[[], State]) -> None:
        self._desk, self._keys, self._limits, self._state = desk, keys, limits, state
        self._made: tuple[Served | None, Asgi] | None = None  # for what, and the door
        self._making = asyncio.Lock()

    async def __call__(self, served: Served | None) -> Asgi:
        """The ASGI application for this version."""
        known = self._made
        if known is not None and known[0] is served:
            return known[1]
        async with self._making:
            if self._made is None or self._made[0] is not served:
                # In a thread, because others must not wait for FastAPI's import.
                self._made = (served, await asyncio.to_thread(self._door, served))
            return self._made[1]

    def _door(self, served: Served | None) -> Asgi:
        from trilho.serving import door

        limits = self._limits

        def promotion() -> Promotion | None:
            state = self._state()  # which the parent writes once every worker has the version
            return state.promotion if served is not None and state.version == served.version else None

        made: Asgi = door.application(
            self._desk,
            served,
            promotion=promotion,
            keys=self._keys,
            body_bytes=limits.body_bytes,
            most_rows=limits.rows,
        )
        return made
