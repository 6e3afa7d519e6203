from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from shipped import KINDS, Shipped
from trilho.bundle import Predictions
from trilho.errors import CannotPredict
from trilho.serving.batching import MOST_ROWS, Batcher, Timed, pays


class Model:
    """Doubles x; refuses negative ones. Waits to be told before it answers, where it is told to."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def predict(self, columns: Mapping[str, np.ndarray]) -> Predictions:
        self.batches.append(len(columns["x"]))
        assert self.go_on.wait(60)
        if (columns["x"] < 0).any():
            raise CannotPredict("negative", remedy="Send others.")
        return Predictions(labels=columns["x"] * 2, probabilities=np.stack([columns["x"], -columns["x"]], axis=1))


def rows(*values: float) -> dict[str, np.ndarray]:
    return {"x": np.array(values)}


async def asked_while_busy(model: Model, *several: tuple[float, ...]) -> list[Any]:
    """What comes of requests that all wait while the model is at another one."""
    batcher = Batcher(model)  # type: ignore[arg-type]
    model.go_on.clear()
    first = asyncio.create_task(batcher.ask(rows(0.0), 1))
    while not model.batches:
        await asyncio.sleep(0.001)
    others = [asyncio.create_task(batcher.ask(rows(*values), len(values))) for values in several]
    await asyncio.sleep(0)
    model.go_on.set()
    return (await asyncio.gather(first, *others, return_exceptions=True))[1:]


def test_request_that_comes_alone_is_answered_alone() -> None:
    model = Model()
    found = asyncio.run(Batcher(model).ask(rows(1.0, 2.0), 2))  # type: ignore[arg-type]
    assert found.predictions.labels.tolist() == [2.0, 4.0]
    assert model.batches == [2]


def test_requests_that_wait_are_answered_together_and_each_gets_its_own() -> None:
    model = Model()
    found = asyncio.run(asked_while_busy(model, (1.0,), (2.0, 3.0), (4.0,)))
    assert [timed.predictions.labels.tolist() for timed in found] == [[2.0], [4.0, 6.0], [8.0]]
    assert [timed.predictions.probabilities[:, 1].tolist() for timed in found] == [[-1.0], [-2.0, -3.0], [-4.0]]
    assert model.batches == [1, 4]


def test_one_bad_row_fails_its_request_alone() -> None:
    model = Model()
    good, bad, other = asyncio.run(asked_while_busy(model, (1.0,), (-1.0,), (2.0,)))
    assert isinstance(good, Timed)
    assert isinstance(bad, CannotPredict)
    assert isinstance(other, Timed)
    assert other.predictions.labels.tolist() == [4.0]


def test_batch_has_a_largest_size_but_no_request_is_too_large_for_one() -> None:
    model = Model()
    half = tuple(float(value) for value in range(MOST_ROWS // 2 + 1))
    found = asyncio.run(asked_while_busy(model, half, half, half * 3))
    assert model.batches == [1, len(half), len(half), len(half) * 3]
    assert all(isinstance(timed, Timed) for timed in found)


def test_client_that_leaves_takes_nobody_along() -> None:
    async def scene(model: Model) -> Timed:
        batcher = Batcher(model)  # type: ignore[arg-type]
        model.go_on.clear()
        first = asyncio.create_task(batcher.ask(rows(0.0), 1))
        while not model.batches:
            await asyncio.sleep(0.001)
        leaves, stays = (asyncio.create_task(batcher.ask(rows(value), 1)) for value in (1.0, 2.0))
        await asyncio.sleep(0)
        leaves.cancel()
        model.go_on.set()
        await first
        return await stays

    assert asyncio.run(scene(Model())).predictions.labels.tolist() == [4.0]


def test_native_model_pays_and_answers_alike(tmp_path: Any) -> None:
    shipped: Shipped = KINDS["native"](tmp_path)
    assert pays(shipped.predictor), "scikit-learn's boosting spends its time on the call, not on the rows"


class Moody(Model):
    """Answers a row otherwise when others are asked with it."""

    def __init__(self, shipped: Shipped) -> None:
        super().__init__()
        self.schema = shipped.schema

    def predict(self, columns: Mapping[str, np.ndarray]) -> Predictions:
        size = len(next(iter(columns.values())))
        return Predictions(labels=np.full(size, size), probabilities=np.full((size, 2), 0.5))


class Refusing(Moody):
    """Takes no made-up rows."""

    def predict(self, columns: Mapping[str, np.ndarray]) -> Predictions:
        raise ValueError("not these")


@pytest.mark.parametrize("kind", [Moody, Refusing])
def test_model_that_answers_otherwise_in_a_batch_is_not_batched(numbers: Shipped, kind: type[Moody]) -> None:
    assert not pays(kind(numbers))  # type: ignore[arg-type]
