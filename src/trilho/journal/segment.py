"""One file of the journal: an Arrow IPC stream that is whole up to the last flush, whatever happens to its writer."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pyarrow as pa

from trilho.journal.folder import STREAM, new_name
from trilho.journal.locks import let_go, stream_lock


class Segment:
    """A file being written. After an error it must not be written to again: `abandon` it.

    Args:
        folder: Made if it is not there.
        schema: Of every batch to come.

    Raises:
        OSError: it cannot be made.
    """

    def __init__(self, folder: Path, schema: pa.Schema) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{new_name('predictions')}{STREAM}"
        self.schema = schema
        self.opened = time.monotonic()
        self.rows = 0
        self._lock = stream_lock(self.path)
        self._lock.acquire()  # before the stream is there: a stream without it is over
        try:
            self._file = self.path.open("xb")  # buffered: a raw file may write less than it was given
        except BaseException:
            self._let_go()
            raise
        try:
            self._stream = pa.ipc.new_stream(self._file, schema)
            self._file.flush()
        except BaseException:
            self.abandon()
            raise

    @property
    def size(self) -> int:
        """Bytes."""
        return self._file.tell()

    def append(self, batch: pa.RecordBatch) -> None:
        """Hand a batch to the operating system: from here on a kill of this process cannot lose it.

        Raises:
            OSError: the disk is full, or gone.
        """
        self._stream.write_batch(batch)
        self._file.flush()
        self.rows += batch.num_rows

    def close(self) -> None:
        """Write the end mark. Raises OSError."""
        self._stream.close()
        self._file.close()
        self._let_go()

    def abandon(self) -> None:
        """Let go of it as it is; what was flushed stays readable. A file without rows is removed."""
        with contextlib.suppress(OSError, ValueError, pa.ArrowException):
            self._file.close()
        if not self.rows:
            with contextlib.suppress(OSError):
                self.path.unlink()
        self._let_go()

    def _let_go(self) -> None:
        with contextlib.suppress(OSError):
            let_go(self._lock)
