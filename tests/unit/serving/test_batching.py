from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from shipped import KINDS, Shipped
from trilho.bundle import Predictions
from trilho.errors import CannotPredict
from trilho.serving.batching import MOST_ROWS, Batcher, Timed, pays, rows_at_once


class Model:
    """Doubles x; refuses negative ones. Waits to be told before it answers, where it is told to."""

    def __init__(self) -> None:
        self.batches: list[int] = []
        self.threads: list[int] = []
        self.go_on = threading.Event()
        self.go_on.set()

    def predict(self, columns: Mapping[str, np.ndarray]) -> Predictions:
        self.batches.append(len(columns["x"]))
        self.threads.append(threading.get_ident())
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
    assert shipped.predictor.runtime == "native"
    assert pays(shipped.predictor), "a pipeline spends its time on the call, not on the rows"


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


def test_quick_model_is_asked_in_the_loop_and_still_answers_together_what_came_together() -> None:
    async def scene(model: Model) -> tuple[list[Any], list[int]]:
        batcher = Batcher(model, quick=3)  # type: ignore[arg-type]
        several = [batcher.ask(rows(float(value)), 1) for value in range(3)]
        return await asyncio.gather(*several), model.threads

    found, threads = asyncio.run(scene(model := Model()))
    assert [timed.predictions.labels.tolist() for timed in found] == [[0.0], [2.0], [4.0]]
    assert model.batches == [3]
    assert threads == [threading.get_ident()]


def test_more_rows_than_are_quick_go_to_the_thread() -> None:
    model = Model()
    asyncio.run(Batcher(model, quick=3).ask(rows(1.0, 2.0, 3.0, 4.0), 4))  # type: ignore[arg-type]
    assert model.threads != [threading.get_ident()]


def test_bad_row_in_the_loop_fails_its_request_alone() -> None:
    async def scene(model: Model) -> list[Any]:
        batcher = Batcher(model, quick=10)  # type: ignore[arg-type]
        several = [batcher.ask(rows(value), 1) for value in (1.0, -1.0, 2.0)]
        return await asyncio.gather(*several, return_exceptions=True)

    good, bad, other = asyncio.run(scene(Model()))
    assert (type(good), type(bad), type(other)) == (Timed, CannotPredict, Timed)


def test_matrices_and_columns_that_wait_are_answered_apart_and_alike(tmp_path: Path) -> None:
    shipped = KINDS["native"](tmp_path)
    predictor, names = shipped.predictor, shipped.schema.names
    matrix = shipped.frame[list(names)].to_numpy(dtype=float)[:4]

    async def scene() -> list[Any]:
        batcher = Batcher(predictor, quick=100)
        columns = [{name: matrix[row : row + 1, place] for place, name in enumerate(names)} for row in range(4)]
        several = [batcher.ask(matrix[row : row + 1] if row % 2 else columns[row], 1) for row in range(4)]
        return await asyncio.gather(*several)

    found = asyncio.run(scene())
    wanted = predictor.predict_frame(shipped.frame[:4])
    assert np.concatenate([timed.predictions.labels for timed in found]).tolist() == wanted.labels.tolist()
    shares = np.concatenate([timed.predictions.probabilities for timed in found])
    np.testing.assert_allclose(shares, wanted.probabilities, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("seconds", "wanted"), [(0.0001, 320), (0.001, 32), (0.002, 16), (0.0021, 0), (1.0, 0)])
def test_as_many_rows_are_quick_as_surely_fit_into_the_time(
    numbers: Shipped, monkeypatch: pytest.MonkeyPatch, seconds: float, wanted: int
) -> None:
    class Steady(Moody):
        """Takes the same time for any rows."""

        def predict(self, columns: Mapping[str, np.ndarray]) -> Predictions:
            clock[0] += seconds
            return super().predict(columns)

    clock = [0.0]
    monkeypatch.setattr("trilho.serving.batching.time.perf_counter", lambda: clock[0])
    assert rows_at_once(Steady(numbers)) == pytest.approx(wanted, abs=1)  # type: ignore[arg-type]


def test_model_that_refuses_made_up_rows_is_not_quick(numbers: Shipped) -> None:
    assert rows_at_once(Refusing(numbers)) == 0  # type: ignore[arg-type]
