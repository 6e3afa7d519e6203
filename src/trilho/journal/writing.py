"""The writer: requests put their rows into a queue, one thread puts them on disk within a second."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from trilho.journal.answered import Answered, JournalState
from trilho.journal.block import Block, blocks_of
from trilho.journal.selection import Selection

if TYPE_CHECKING:
    from trilho.journal.segment import Segment

FLUSH_SECONDS = 0.5  # rows are on disk this long after their answer, and the time that writing takes
MOST_WAITING = 100_000  # rows in memory, and one request's more; what comes on top is lost, and counted
TOGETHER = 64  # requests
SEGMENT_BYTES = 64 << 20
SEGMENT_SECONDS = 3600.0
RETRY_SECONDS = 5.0  # after an error; rows are lost meanwhile

_log = logging.getLogger("trilho.journal")


class Journal:
    """Takes in answers and never fails: what cannot be written is counted, logged once, and dropped.

    Args:
        folder: Where its files go. Several journals, of other processes too, may write into one folder.
        columns: The features that are kept, as in `journal.columns`; all if it is empty.

    Raises:
        InvalidProject: `columns` names some to keep and some to leave out.
    """

    def __init__(self, folder: Path, *, columns: Sequence[str] = ()) -> None:
        self.folder = folder
        self._selection = Selection(columns)
        self._fresh: list[Answered] = []
        self._queue: list[Block] = []
        self._lock = threading.Lock()
        self._waiting = self._written = self._lost = 0
        self._problem = ""
        self._segment: Segment | None = None
        self._retry_at = 0.0
        self._closed = False  # to what is appended
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trilho-journal", daemon=True)
        self._thread.start()

    @property
    def state(self) -> JournalState:
        """How it is now."""
        with self._lock:
            first = self._queue[0].times[0] if self._queue else self._fresh[0].time if self._fresh else None
            lag = max(time.time() - first, 0.0) if first is not None else 0.0
            counts = {"written": self._written, "waiting": self._waiting, "lost": self._lost}
            return JournalState(**counts, problem=self._problem, lag=lag)

    def append(self, entry: Answered) -> None:
        """Take in one request's rows. Returns at once; safe from several threads."""
        rows = len(entry.labels)
        with self._lock:
            if not self._closed and self._waiting < MOST_WAITING:
                self._waiting += rows
                fresh = self._fresh
                fresh.append(entry)
                if len(fresh) >= TOGETHER:
                    self._put_together()
                return
            self._lost += rows
            if self._closed or self._problem:
                return
            self._problem = f"More than {MOST_WAITING:,} rows wait to be written: more are answered than a disk takes."
        _log.warning("Rows of the journal in %s are lost. %s", self.folder, self._problem)

    def close(self) -> None:
        """Write what waits, finish the file, end the thread. What comes later is lost. May be called twice."""
        with self._lock:
            self._closed = True
        self._closing.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            self._closing.wait(FLUSH_SECONDS)  # looking is cheaper than being told by every request
            self._drain()
            if self._segment is not None and self._is_over(self._segment):  # without waiting for the next row
                self._end_segment()
        self._drain()  # what came between the last look and the closing
        self._end_segment()

    def _drain(self) -> None:
        with self._lock:
            self._put_together()
            blocks, self._queue = self._queue, []
        for _, group in groupby(blocks, lambda block: block.form):
            self._write(list(group))

    def _put_together(self) -> None:
        self._queue += blocks_of(self._fresh)
        self._fresh.clear()

    def _write(self, blocks: list[Block]) -> None:
        rows = sum(block.rows for block in blocks)
        try:
            if time.monotonic() >= self._retry_at:
                self._put(blocks)
                self._count(rows, lost=False)
                return
        except Exception as error:  # no error of a disk, or of Arrow, may end this thread
            self._fail(error)
        self._count(rows, lost=True)

    def _put(self, blocks: list[Block]) -> None:
        from trilho.journal.arrow_form import to_batch
        from trilho.journal.segment import Segment

        batch = self._selection.of(to_batch(blocks))
        segment = self._segment
        if segment is not None and (segment.schema != batch.schema or self._is_over(segment)):
            segment.close()
            segment = self._segment = None
        if segment is None:
            segment = self._segment = Segment(self.folder, batch.schema)
        segment.append(batch)

    def _end_segment(self) -> None:
        try:
            if self._segment is not None:
                self._segment.close()
            self._segment = None
        except Exception as error:
            self._fail(error)

    def _is_over(self, segment: Segment) -> bool:
        return segment.size >= SEGMENT_BYTES or time.monotonic() - segment.opened >= SEGMENT_SECONDS

    def _count(self, rows: int, *, lost: bool) -> None:
        with self._lock:
            self._waiting -= rows
            if lost:
                self._lost += rows
                return
            self._written += rows
            was, self._problem = self._problem, ""
        if was:
            _log.warning("The journal writes again; %d rows were lost so far.", self._lost)

    def _fail(self, error: Exception) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.abandon()
        self._retry_at = time.monotonic() + RETRY_SECONDS
        with self._lock:
            was, self._problem = self._problem, f"{type(error).__name__}: {error}"
        if not was:
            _log.warning(
                "The journal in %s cannot be written (%s); answers go on, their rows are lost until it can.",
                self.folder, error,
            )  # fmt: skip
