"""No more requests at once than the database has connections for; the rest waits in order, and none is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from trilho.platform.admission import AT_ONCE, PER_REQUEST, Admitted, admitted_at_once, pool_settings

Message = dict[str, Any]
PATH = "/api/2.0/mlflow/runs/log-batch"


class Handlers:
    """An application whose requests stay inside until they are let out."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.most = 0
        self.doors: dict[str, asyncio.Event] = {}

    async def __call__(self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Any]) -> None:
        while (await receive()).get("more_body"):
            pass
        name = scope["name"]
        self.inside.append(name)
        self.most = max(self.most, len(self.inside))
        try:
            await self.doors.setdefault(name, asyncio.Event()).wait()
            if scope.get("breaks"):
                raise ValueError(name)
        finally:
            self.inside.remove(name)
        await send({"type": "http.response.start", "status": 200})
        await scope.get("reads_slowly", asyncio.Event()).wait() if "reads_slowly" in scope else None
        await send({"type": "http.response.body"})


def ask(app: Admitted, name: str, *parts: Message, path: str = PATH, **more: Any) -> asyncio.Task[None]:
    """A request whose body comes in `parts`, then never anything again."""
    left = list(parts or ({"type": "http.request", "body": b"{}"},))

    async def receive() -> Message:
        if left:
            part = left.pop(0)
            await part.get("after", _now()).wait()
            return part
        await asyncio.Event().wait()
        raise AssertionError

    async def send(_: Message) -> None:
        pass

    scope = {"type": "http", "path": path, "name": name, **more}
    return asyncio.ensure_future(app(scope, receive, send))  # type: ignore[arg-type]


def _now() -> asyncio.Event:
    event = asyncio.Event()
    event.set()
    return event


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_requests_beyond_the_limit_wait_and_go_in_order() -> None:
    async def story() -> None:
        handlers = Handlers()
        app = Admitted(handlers, 2)
        asked = [ask(app, name) for name in "abcd"]
        await settled()
        assert handlers.inside == ["a", "b"]
        handlers.doors["b"].set()
        await settled()
        assert handlers.inside == ["a", "c"]
        for name in "acd":
            handlers.doors.setdefault(name, asyncio.Event()).set()
        await asyncio.gather(*asked)
        assert handlers.most == 2

    asyncio.run(story())


def test_a_request_that_fails_gives_its_place_back() -> None:
    async def story() -> None:
        handlers = Handlers()
        app = Admitted(handlers, 1)
        for _ in range(3):
            failing = ask(app, "x", breaks=True)
            await settled()
            handlers.doors["x"].set()
            with pytest.raises(ValueError, match="x"):
                await failing

    asyncio.run(story())


def test_slow_clients_hold_no_place_while_they_send_or_read() -> None:
    async def story() -> None:
        handlers = Handlers()
        app = Admitted(handlers, 1)
        rest, read = asyncio.Event(), asyncio.Event()
        slow = ask(
            app,
            "slow",
            {"type": "http.request", "body": b"{", "more_body": True},
            {"type": "http.request", "body": b"}", "after": rest},
        )
        await settled()
        reader = ask(app, "reader", reads_slowly=read)
        await settled()
        assert handlers.inside == ["reader"]
        handlers.doors["reader"].set()
        await settled()
        rest.set()
        await settled()
        assert handlers.inside == ["slow"]  # although the other's answer is still on its way
        handlers.doors["slow"].set()
        read.set()
        await asyncio.gather(slow, reader)

    asyncio.run(story())


@pytest.mark.parametrize("path", ["/health", "/api/2.0/mlflow-artifacts/artifacts/1/model.onnx", "/static-files/a.js"])
def test_what_needs_no_database_waits_for_nobody(path: str) -> None:
    async def story() -> None:
        handlers = Handlers()
        app = Admitted(handlers, 1)
        asked = [ask(app, "first"), ask(app, "second", path=path)]
        await settled()
        assert handlers.inside == ["first", "second"]
        for name in ("first", "second"):
            handlers.doors[name].set()
        await asyncio.gather(*asked)

    asyncio.run(story())


def test_the_pool_is_enough_for_all_that_are_admitted() -> None:
    environment = pool_settings({})
    size, overflow = (int(value) for value in environment.values())
    assert admitted_at_once(environment) == AT_ONCE
    assert size + overflow >= AT_ONCE * PER_REQUEST


def test_a_pool_that_somebody_sized_is_kept_and_sets_the_limit() -> None:
    environment = {"MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "4"}
    assert pool_settings(environment) == {}
    assert admitted_at_once(environment) == (4 + 10) // PER_REQUEST
    assert admitted_at_once({"MLFLOW_SQLALCHEMYSTORE_POOL_SIZE": "1", "MLFLOW_SQLALCHEMYSTORE_MAX_OVERFLOW": "0"}) == 1
