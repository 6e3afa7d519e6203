"""Files of rows → files of rows and predictions, some thousands at a time."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass, replace
from itertools import repeat
from pathlib import Path

import numpy as np
import pyarrow as pa

from trilho.bundle import Predictor
from trilho.errors import CannotPredict
from trilho.journal.buffers import array_of, texts
from trilho.scoring.ahead import in_order
from trilho.scoring.answering import PREDICTION, added_schema, answered
from trilho.scoring.inputs import cannot_open, changed, check_columns, files_to_score
from trilho.scoring.kept import Kept, keep_piece, kept_beside, kept_piece
from trilho.scoring.tables import Table, open_table, unwritable, write_table
from trilho.scoring.wrong_row import located

VERSION = "model_version"
MOST_THREADS = 8  # each has a piece of the table in memory


@dataclass(frozen=True, kw_only=True)
class Scored:
    """An output that was written. `reused` of its files were finished by a call that was killed."""

    path: Path
    rows: int
    files: int
    reused: int


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far it is. `of_rows` is None where only reading tells how many rows there are."""

    rows: int
    of_rows: int | None
    files: int
    of_files: int


def score(
    predictor: Predictor,
    source: Path,
    to: Path,
    *,
    version: str,
    model: str = "",
    separator: str = ",",
    encoding: str = "utf-8",
    watch: Callable[[Progress], None] = lambda _: None,
) -> Scored:
    """Answer every row of `source` and write it to `to`, which appears when it is complete.

    All columns of the input stay, in their order; a CSV's values stay as they are written there. On the right come
    `prediction`, `probability_NAME` for each label where the model gives probabilities, and `model_version`.

    After a kill, the same call goes on where it stopped: what was answered is not answered again, and the output is the
    one that an uninterrupted call writes. Until then, it is kept in the folder OUT.partial.

    Args:
        source, to: Files ending in .csv, .tsv or .parquet, each in its own format; or folders: the files in `source`
            and below it keep names and formats, and `to` is new or empty.
        version: Written beside every prediction.
        model: What tells this model from every other: answers that were kept are used for the same one only.
        separator, encoding: Of a CSV that is read. What is written is UTF-8 with commas (tabs in a .tsv).
        watch: Called after every piece.

    Raises:
        SourceUnreadable: the source cannot be read, or changes meanwhile.
        BadData: it has columns twice, or some with our names; or `to` cannot be written, or is not empty.
        CannotPredict: a column is missing, or a value does not fit the model; names file, row and column.
    """
    names, folder = files_to_score(source, to)
    run = _Run(predictor, version, f"{model} {version}", separator, encoding, watch)
    rows = reused = 0
    with kept_beside(to) as kept, _threads_of_ours_alone(predictor):
        try:
            for place, name in enumerate(names):
                file = run.find(name, source / name if folder else source, to / name if folder else to)
                found = kept.finished(file.key, name)
                reused += found is not None
                before = Progress(rows=rows, of_rows=None, files=place, of_files=len(names))
                rows += run.score(file, kept, before) if found is None else found
            kept.publish(names, to, folder=folder)
        except OSError as error:
            raise unwritable(to, error) from error
    return Scored(path=to, rows=rows, files=len(names), reused=reused)


# ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _File:
    """One file to score. `name` is relative to the output, `key` names it as it is now, and the model."""

    name: str
    source: Path
    target: Path
    key: str


@dataclass(frozen=True)
class _Run:
    """What is the same for all files of a call."""

    predictor: Predictor
    version: str
    model: str
    separator: str
    encoding: str
    watch: Callable[[Progress], None]

    def find(self, name: str, source: Path, target: Path) -> _File:
        try:
            stat = source.stat()
        except OSError as error:
            raise cannot_open(source, error) from error
        facts = [self.model, name, stat.st_size, stat.st_mtime_ns, self.separator, self.encoding]
        key = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:16]
        return _File(name, source, target, key)

    def score(self, file: _File, kept: Kept, before: Progress) -> int:
        """Score one file into `kept`; its number of rows."""
        works, rows, version = kept.works(file.key), 0, texts([self.version])
        try:
            with open_table(file.source, separator=self.separator, encoding=self.encoding) as table:
                added = added_schema(self.predictor)
                whole = pa.schema([*table.schema, *added, pa.field(VERSION, pa.string())])
                check_columns(table, whole.names[len(table.schema) :], file.source)
                style = replace(table.style, repeating=(*table.style.repeating, PREDICTION, VERSION))
                with write_table(works / "table", whole, to=file.target, style=style) as write:
                    for batch, answers in self._answers(file.source, table, added, works):
                        versions = version.take(array_of(np.zeros(batch.num_rows, np.int64)))
                        write(pa.RecordBatch.from_arrays([*batch.columns, *answers.columns, versions], schema=whole))
                        rows += batch.num_rows
                        self.watch(replace(before, rows=before.rows + rows, of_rows=table.rows))
            if self.find(file.name, file.source, file.target) != file:
                raise changed(file.source)
            kept.finish(file.key, file.name, works / "table", rows)
        except Exception:
            kept.drop(file.key)
            raise
        return rows

    def _answers(
        self, file: Path, table: Table, added: pa.Schema, works: Path
    ) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
        """Pieces of the table with their predictions. Reading, answering and what the caller does go on at once."""

        def answer(piece: tuple[int, pa.RecordBatch]) -> tuple[pa.RecordBatch, pa.RecordBatch]:
            start, batch = piece
            answers = kept_piece(works, start, batch.num_rows)
            if answers is None:
                try:
                    answers = answered(self.predictor, batch, added, text=table.text)
                except CannotPredict as error:
                    csv = (self.separator, self.encoding) if table.text else None
                    raise located(error, file, before=start, csv=csv) from error
                keep_piece(works, start, answers)
            return batch, answers

        # A native model answers on threads of its own, or holds the interpreter's lock.
        threads = min(os.cpu_count() or 1, MOST_THREADS) if self.predictor.runtime == "onnx" else 1
        reading = in_order(lambda _: next(table.batches, None), repeat(None), threads=1)
        with closing(reading), closing(in_order(answer, _placed(reading), threads=threads)) as answering:
            yield from answering


def _threads_of_ours_alone(predictor: Predictor) -> AbstractContextManager[object]:
    """A compiled model is asked on threads that are as many as the cores: those of numpy's BLAS would only wait."""
    if predictor.runtime != "onnx":
        return nullcontext()
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    limited: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limited


def _placed(batches: Iterator[pa.RecordBatch | None]) -> Iterator[tuple[int, pa.RecordBatch]]:
    """Each piece with the number of rows before it, up to the first None."""
    before = 0
    for batch in batches:
        if batch is None:
            return
        yield before, batch
        before += batch.num_rows
