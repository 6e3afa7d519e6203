"""Requests that wait for the same model are answered together: natural batching, without a timer.

While one batch runs in the model's thread, requests queue; the next batch takes all that have queued. A request that
comes alone is answered alone and at once. What is gained is the fixed cost of a call: for scikit-learn's forests and
pandas' frames nearly all of it.

Source: measurements of dispatching in Python servers; Crankshaw et al. (2017), "Clipper", NSDI, section 4.3, batches
adaptively, too, but waits for them.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import numpy as np

from trilho.bundle import Predictions, Predictor
from trilho.bundle.self_test import made_up_rows

MOST_ROWS = 1024  # in one batch of several requests
GAIN = 1.5  # answering 16 rows at once must be so many times faster than one by one
QUICK = 0.002  # seconds for which the event loop may be held up
AGREEMENT = 1e-6  # of probabilities and of predicted numbers, alone and in a batch

Asked = Mapping[str, np.ndarray] | np.ndarray  # rows by column, or as a matrix: `predict`, `predict_matrix`


class Timed(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """What the model said to one request, when it began, and for how many seconds it was at it."""

    predictions: Predictions
    began: float
    seconds: float


class _Waiting(msgspec.Struct, frozen=True, eq=False):
    asked: Asked
    rows: int
    done: asyncio.Future[Timed]


class Batcher:
    """The one thread in which a model answers, and the requests that wait for it. For one event loop.

    Args:
        quick: Batches of so many rows are answered in the loop itself (`rows_at_once`): they take less time than
            handing them to the thread, and taking the interpreter from it, would.
    """

    def __init__(self, predictor: Predictor, *, quick: int = 0) -> None:
        self._predictor = predictor
        self._quick = quick
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="trilho-model")
        self._queue: list[_Waiting] = []
        self._running: asyncio.Task[None] | None = None

    async def ask(self, asked: Asked, rows: int) -> Timed:
        """As `predicted`, together with whoever else is waiting."""
        done: asyncio.Future[Timed] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(asked, rows, done))
        if self._running is None:
            self._running = asyncio.create_task(self._run())
        return await done

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            while self._queue:
                batch = self._taken()
                if sum(waiting.rows for waiting in batch) <= self._quick:
                    found = _answers(self._predictor, batch)
                else:
                    found = await loop.run_in_executor(self._thread, _answers, self._predictor, batch)
                for waiting, outcome in zip(batch, found, strict=True):
                    if waiting.done.done():
                        continue  # its client is gone
                    if isinstance(outcome, Timed):
                        waiting.done.set_result(outcome)
                    else:
                        waiting.done.set_exception(outcome)
        finally:
            self._running = None

    def _taken(self) -> list[_Waiting]:
        """The longest waiting requests, as many as fit into one batch, at least one; all of one form."""
        rows, count, form = 0, 0, type(self._queue[0].asked)
        for waiting in self._queue:
            rows += waiting.rows
            if count and (rows > MOST_ROWS or type(waiting.asked) is not form):
                break
            count += 1
        batch, self._queue = self._queue[:count], self._queue[count:]
        return batch


def predicted(predictor: Predictor, asked: Asked) -> Timed:
    """What the model says. Raises CannotPredict."""
    began = time.perf_counter()
    found = predictor.predict_matrix(asked) if isinstance(asked, np.ndarray) else predictor.predict(asked)
    return Timed(predictions=found, began=began, seconds=time.perf_counter() - began)


def pays(predictor: Predictor) -> bool:
    """Is this model, measured here and now, worth batching; and does it answer a row alike, alone and among others?"""
    columns = made_up_rows(predictor.schema)
    try:
        whole, together = _fastest(predictor, [columns])
        rows = len(whole[0].labels)
        singles, alone = _fastest(
            predictor, [{name: values[row : row + 1] for name, values in columns.items()} for row in range(rows)]
        )
    except Exception:  # made-up rows that the model refuses say nothing about others
        return False
    return alone > GAIN * together and _alike(whole[0], singles)


def rows_at_once(predictor: Predictor) -> int:
    """As many rows as this model, measured here and now, surely answers in QUICK seconds; 0 if it is not that fast."""
    columns = made_up_rows(predictor.schema)
    try:
        [found], seconds = _fastest(predictor, [columns], times=5)
    except Exception:
        return 0
    rows = len(found.labels)
    return int(rows * QUICK / seconds) if seconds <= QUICK else 0


# ----------------------------------------------------------------------------------------------------------------------


def _answers(predictor: Predictor, batch: Sequence[_Waiting]) -> list[Timed | Exception]:
    """An answer or an error for each request. One that fails is asked alone: it must not fail the others."""
    if len(batch) > 1:
        try:
            return _parts(predicted(predictor, _joined([waiting.asked for waiting in batch])), batch)
        except Exception:
            return [_alone(predictor, waiting) for waiting in batch]
    return [_alone(predictor, batch[0])]


def _alone(predictor: Predictor, waiting: _Waiting) -> Timed | Exception:
    try:
        return predicted(predictor, waiting.asked)
    except Exception as error:
        return error


def _joined(several: Sequence[Any]) -> Asked:
    first = several[0]
    if isinstance(first, np.ndarray):
        return np.concatenate(several)
    return {name: np.concatenate([columns[name] for columns in several]) for name in first}


def _parts(whole: Timed, batch: Sequence[_Waiting]) -> list[Timed | Exception]:
    labels, probabilities = whole.predictions.labels, whole.predictions.probabilities
    parts: list[Timed | Exception] = []
    start = 0
    for waiting in batch:
        place = slice(start, start := start + waiting.rows)
        shares = None if probabilities is None else probabilities[place]
        part = Predictions(labels=labels[place], probabilities=shares)
        parts.append(Timed(predictions=part, began=whole.began, seconds=whole.seconds))
    return parts


def _fastest(
    predictor: Predictor, several: Sequence[Mapping[str, Any]], *, times: int = 2
) -> tuple[list[Predictions], float]:
    """The answers to several requests one after the other, and the seconds of the fastest of so many times."""
    seconds = []
    found: list[Predictions] = []
    for _ in range(times):
        began = time.perf_counter()
        found = [predictor.predict(columns) for columns in several]
        seconds.append(time.perf_counter() - began)
    return found, min(seconds)


def _alike(whole: Predictions, singles: Sequence[Predictions]) -> bool:
    labels = np.concatenate([single.labels for single in singles])
    shares = [single.probabilities for single in singles if single.probabilities is not None]
    if whole.probabilities is not None:
        near = np.allclose(whole.probabilities, np.concatenate(shares), rtol=0, atol=AGREEMENT)
        return near and bool((whole.labels == labels).all())
    if whole.labels.dtype.kind == "f":
        return bool(np.allclose(whole.labels, labels, rtol=AGREEMENT, atol=0))
    return bool((whole.labels == labels).all())
