"""The keeper: closes what is over, forgets what must be forgotten, and keeps the journal within its bounds.

Writers only ever add; the keeper alone replaces and deletes. It lives in the server's parent process, which calls
`tidy` every few seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import Timeout

from trilho.journal.folder import CLOSED, DONE, LABELS, STREAM, Contents, contents, remove_partial
from trilho.journal.locks import is_over, keeper_lock, labels_lock

MAX_BYTES = 2_000_000_000
KEEP_SECONDS = 90 * 86_400.0
_PAUSE = 60.0  # seconds after a failure: a full disk is not filled again every time
_LOOK = 30.0  # seconds between looks at the age and size of all files, if none was closed meanwhile
_LEFT_OVER = 3600.0  # seconds after which a file half-written is nobody's any more
_DAY = 86_400.0

_log = logging.getLogger("trilho.journal")


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What a keeper has done since it was made, and how things are.

    Args:
        bytes: Of all files of the journal, when last looked.
        closed: Streams that became Parquet files.
        deleted: Files deleted because they were too old or too many, and `deleted_bytes` of them.
        forgotten: Rows and labels taken out because their ids were forgotten.
        problem: Why some of it could not be done; "" when all is well. It is tried again.
    """

    bytes: int = 0
    closed: int = 0
    deleted: int = 0
    deleted_bytes: int = 0
    forgotten: int = 0
    problem: str = ""


class Keeper:
    """Looks after the folder of a journal. Needs pyarrow only when there is something to do.

    Args:
        folder: Of the journal. Several keepers may share it; one at a time is at work.
        max_bytes: Of all its files. Beyond that the oldest are deleted first; only files still being written (at most
            64 MB a worker) may go over it.
        keep: Seconds that a row is kept after it was answered (it may lie an hour longer, in a file with younger ones);
            None for ever.
    """

    def __init__(self, folder: Path, *, max_bytes: int = MAX_BYTES, keep: float | None = KEEP_SECONDS) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.keep = keep
        self.state = Kept()
        self._again_at = self._look_at = 0.0
        self._trouble = ""

    def tidy(self, now: float) -> Kept:
        """Do what is to be done, and say what was done since the keeper was made. Never raises.

        Without anything to do it costs the listing of a folder of few files. It may be killed at any moment: no row is
        lost or doubled by that, and the next one goes on.

        Args:
            now: Seconds since 1970, UTC.
        """
        if not self.folder.is_dir():
            return self.state
        paused = now < self._again_at <= now + _PAUSE  # not if the clock was set back
        self._trouble = self.state.problem if paused else ""
        another = suppress(Timeout)  # is at work
        with self._going_on(), another, keeper_lock(self.folder).acquire(timeout=0):
            self._tidy(now, paused)
        was, self.state = self.state.problem, replace(self.state, problem=self._trouble)
        if self._trouble and not paused:
            self._again_at = now + _PAUSE
        if bool(was) != bool(self._trouble):
            how = f"cannot be kept ({self._trouble}); it is tried again" if self._trouble else "is kept again"
            _log.warning("The journal in %s %s.", self.folder, how)
        return self.state

    def _tidy(self, now: float, paused: bool) -> None:
        if not self._look_at - _LOOK < now < self._look_at:
            remove_partial(self.folder, before=now - _LEFT_OVER)
            self._delete(now)
            self._look_at = now + _LOOK
        if paused:
            return
        found = contents(self.folder, closed=False)
        if len(found.done) < len(found.forgotten):
            self._forget(contents(self.folder))
        over = []
        for stream in found.streams:
            with self._going_on():
                if is_over(stream):
                    over.append(stream)  # one that cannot be asked must not keep back the others
        if over:
            self._close(found, over)

    def _forget(self, found: Contents) -> None:
        from trilho.journal.closing import rewrite
        from trilho.journal.forgetting import forgotten
        from trilho.journal.labelling import rewrite_labels

        pending = forgotten(found).pending
        gone = 0
        for path in (*found.closed, *found.labels):
            with suppress(FileNotFoundError):
                gone += rewrite(path, pending) if path.suffix == CLOSED else rewrite_labels(path, pending)
        for path in found.forgotten:
            path.with_suffix(DONE).touch()
        self.state = replace(self.state, forgotten=self.state.forgotten + gone)
        _log.info("The journal forgot %d ids: %d rows and labels left the disk.", len(pending), gone)

    def _close(self, found: Contents, over: Sequence[Path]) -> None:
        from trilho.journal.closing import close
        from trilho.journal.forgetting import forgotten

        gone = forgotten(found).ids
        for stream in over:
            with self._going_on():
                close(stream, gone)  # anew, if a keeper was killed between the Parquet file and this
                self.state = replace(self.state, closed=self.state.closed + 1)
                self._look_at = 0.0
        import pyarrow as pa

        pa.default_memory_pool().release_unused()  # an hour may pass until it is needed again

    def _delete(self, now: float) -> None:
        """Delete what is too old, then the oldest, until the rest fits."""
        files = sorted(_ages(self.folder))
        total = sum(size for _, size, _ in files)
        for changed, size, path in files:
            aged = self.keep is not None and changed < now - self.keep
            gone = False
            if aged or total > self.max_bytes:
                with self._going_on():
                    gone = _deleted(path)
            if gone:
                total -= size
                counts = self.state.deleted + 1, self.state.deleted_bytes + size
                self.state = replace(self.state, deleted=counts[0], deleted_bytes=counts[1])
                why = "older than journal.keep" if aged else "the journal was larger than journal.max_bytes"
                _log.info("The journal deleted %s, %d bytes: %s.", path.name, size, why)
        if self.keep is not None:
            for path in contents(self.folder).forgotten:  # a day later: no row from before it is anywhere now
                if path.stat().st_mtime < now - self.keep - _DAY:
                    path.unlink()
                    path.with_suffix(DONE).unlink(missing_ok=True)
        self.state = replace(self.state, bytes=total)

    @contextmanager
    def _going_on(self) -> Iterator[None]:
        """No error of a disk, or of Arrow, may end the server's parent process."""
        try:
            yield
        except Exception as error:
            self._trouble = f"{type(error).__name__}: {error}"


# ----------------------------------------------------------------------------------------------------------------------


def _ages(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """Last change, size and path of each file of rows or labels; of a Parquet file that is the time of its last row."""
    found = contents(folder)
    for path in (*found.streams, *found.closed, *found.labels):
        with suppress(FileNotFoundError):
            status = path.stat()
            yield status.st_mtime, status.st_size, path


def _deleted(path: Path) -> bool:
    """Delete it, unless it is being written."""
    if path.suffix == STREAM and not is_over(path):
        return False
    with labels_lock(path.parent) if path.suffix == LABELS else nullcontext():
        path.unlink(missing_ok=True)
    return True
