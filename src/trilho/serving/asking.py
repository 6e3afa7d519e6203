"""The brain behind every wire: rows in, an answer out, measured and journaled. It knows no HTTP."""

from __future__ import annotations

import asyncio
import itertools
import random
import secrets
import time
from typing import Any

import msgspec
import numpy as np

from trilho.bundle import Predictions
from trilho.errors import CannotPredict
from trilho.journal import Answered, Features, Journal
from trilho.journal.images import referenced
from trilho.serving.batching import Asked, predicted
from trilho.serving.counting import Counts, Tally
from trilho.serving.slot import Served, Slot

INLINE_ROWS = 256  # a compiled model answers up to so many rows faster than a thread could be woken
BATCHED_ROWS = 256  # larger requests are answered beside the batches, not in them


class Answer(msgspec.Struct, frozen=True, kw_only=True, eq=False, gc=False):
    """What a model said about the rows of one request. (A Struct: made once per request.)

    Args:
        id: Row i has the prediction id "ID-i".
        values: The labels as plain Python values, n of them.
        seconds: Inside the model.
    """

    id: str
    served: Served
    predictions: Predictions
    values: list[Any]
    seconds: float


class Desk:
    """Asks the model in charge.

    Args:
        counts: Where everything is counted.
        journal: Gets what was answered; None keeps nothing.
        share: Of the requests that the journal gets.
    """

    def __init__(self, slot: Slot, counts: Counts, journal: Journal | None = None, *, share: float = 1.0) -> None:
        self.slot = slot
        self.counts = counts
        self.journal = journal
        self.share = share
        self._prefix = secrets.token_hex(6) + "-"  # of this process, as long as it lives
        self._numbers = itertools.count()
        self._tallies: dict[str, Tally] = {}

    async def ask(self, asked: Asked, served: Served, features: Features | None = None) -> Answer:
        """Answer rows with the model that the caller began with.

        Args:
            asked: By column: all of the schema's, canonical (`bundle.columns`), shape (n,). Or, of a model of numbers
                alone, a matrix in the order of the schema, shape (n, fields), NaN for null.
            features: The same rows for the journal, where the caller has them.

        Raises:
            CannotPredict: the model does not take them; names column and row.
        """
        came = time.perf_counter()
        rows = len(asked if isinstance(asked, np.ndarray) else next(iter(asked.values()), ()))
        try:
            if served.predictor.runtime == "onnx" and rows <= INLINE_ROWS:
                timed = predicted(served.predictor, asked)
            elif served.batcher is not None and rows <= BATCHED_ROWS:
                timed = await served.batcher.ask(asked, rows)
            elif rows <= served.quick:
                timed = predicted(served.predictor, asked)
            else:
                timed = await asyncio.to_thread(predicted, served.predictor, asked)
        except Exception as error:
            if not isinstance(error, CannotPredict) or error.by_model:  # else it is the rows that do not fit
                (self._tallies.get(served.key) or self._tally(served)).fail()
            raise
        if features is None:
            columns = {name: asked[name] for name in served.predictor.schema.names}
            features = Features.of(referenced(columns, served.images) if served.images else columns)
        return self._answer(served, features, timed.predictions, timed.seconds, timed.began - came)

    def ask_coded(self, matrix: np.ndarray, features: Features, served: Served) -> Answer | None:
        """As `ask`, of rows in the compiled model's own form (`Predictor.predict_coded`), at once.

        None where the model refuses them, and where there are so many that others would have to wait: `ask` says why,
        and waits in a thread.
        """
        if len(matrix) > INLINE_ROWS:
            return None
        began = time.perf_counter()
        predictions = served.predictor.predict_coded(matrix)
        if predictions is None:
            return None
        return self._answer(served, features, predictions, time.perf_counter() - began, 0.0)

    def _answer(
        self, served: Served, features: Features, predictions: Predictions, seconds: float, queued: float
    ) -> Answer:
        values = predictions.labels.tolist()
        name = f"{self._prefix}{next(self._numbers):x}"
        tally = self._tallies.get(served.key) or self._tally(served)
        tally.model.observe(seconds)
        if queued:
            tally.queue.observe(queued)
        else:
            tally.queue.counts[0] += 1
        if len(values) == 1 and tally.words:
            tally.rows[tally.words[values[0]]] += 1
        else:
            tally.add(values)
        journal = self.journal
        if journal is not None and (self.share >= 1 or random.random() < self.share):
            entry = Answered(
                request=name,
                time=time.time(),
                model=served.name,
                version=served.version,
                latency=seconds + queued,
                features=features,
                labels=predictions.labels,
                probabilities=predictions.probabilities,
            )
            journal.append(entry)
        return Answer(id=name, served=served, predictions=predictions, values=values, seconds=seconds)

    def _tally(self, served: Served) -> Tally:
        """The part of the counts that is about this version; the same again after a rollback."""
        schema = served.predictor.schema
        words = dict(zip(schema.labels, schema.label_names, strict=True))
        self._tallies[served.key] = found = Tally(self.counts, served.key, words)
        return found
