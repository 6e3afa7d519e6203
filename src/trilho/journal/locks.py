"""Who is writing what. A lock is let go by the operating system when its process ends, however it ends.

So a stream whose lock is free is over: also after a kill, a restart of the machine, or in a container, whose process
ids mean nothing outside.
"""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout


def stream_lock(stream: Path) -> FileLock:
    """Held by the writer of a stream from before it is there until after its last byte. May be released anywhere."""
    return FileLock(stream.with_suffix(".lock"), thread_local=False)


def let_go(lock: FileLock) -> None:
    """Release the lock of a stream, and remove its file: no other writer will ever want it. Raises OSError."""
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)


def is_over(stream: Path) -> bool:
    """Will nobody write to this stream any more? Removes the lock file that a killed writer left. Raises OSError."""
    lock = stream_lock(stream)
    if not Path(lock.lock_file).exists():
        return True
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    let_go(lock)
    return True


def labels_lock(folder: Path) -> FileLock:
    """Who holds it may write to the label files of a folder, and delete them: some milliseconds at a time."""
    return FileLock(folder / "labels.lock")


def keeper_lock(folder: Path) -> FileLock:
    """Who holds it may replace and delete files of the journal."""
    return FileLock(folder / "keeper.lock")
