"""What is done of an output that is not complete yet: the folder OUT.partial, for the run after a kill.

    OUT.partial/
    ├── lock
    ├── tables/NAME        finished files under their own names; this becomes OUT
    ├── KEY.json           says that the file with this key is finished, and how many rows it has
    └── KEY/               of a file in the works: its predictions piece by piece, and the table so far

A key names an input file as it is now and the model that answers it: of another file or another model nothing is found.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from filelock import FileLock, Timeout

from trilho.errors import BadData
from trilho.scoring.tables import unwritable


@contextmanager
def kept_beside(to: Path) -> Iterator[Kept]:
    """The folder for the output `to`, for this process alone.

    After an error it goes, unless it holds finished files; a kill leaves it.

    Raises:
        BadData: another process writes the same output, or nobody can write there.
    """
    folder = to.with_name(f"{to.name}.partial")
    lock = FileLock(folder / "lock")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise BadData(
            f"Another trilho score is writing {to}.", remedy="Wait until it is done, or choose another output."
        ) from error
    except OSError as error:
        raise unwritable(to, error) from error
    kept, left = Kept(folder), True
    try:
        yield kept
        left = False
    except Exception:
        left = kept.any_finished()
        raise
    finally:
        lock.release()
        if not left:
            shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True)
class Kept:
    """Finished files, and the pieces of those in the works."""

    folder: Path

    @property
    def tables(self) -> Path:
        return self.folder / "tables"

    def finished(self, key: str, name: str) -> int | None:
        """The rows of a file that was finished before; None where it was not."""
        try:
            rows = json.loads((self.folder / f"{key}.json").read_text(encoding="utf-8"))["rows"]
        except (OSError, ValueError, KeyError):
            return None
        return int(rows) if (self.tables / name).is_file() else None

    def any_finished(self) -> bool:
        return any(self.folder.glob("*.json"))

    def works(self, key: str) -> Path:
        """The folder of a file in the works."""
        folder = self.folder / key
        folder.mkdir(exist_ok=True)
        return folder

    def drop(self, key: str) -> None:
        """Forget a file in the works."""
        shutil.rmtree(self.folder / key, ignore_errors=True)

    def finish(self, key: str, name: str, table: Path, rows: int) -> None:
        """Put a complete table, which lies in the works of `key`, under its name."""
        target = self.tables / name
        target.parent.mkdir(parents=True, exist_ok=True)
        table.replace(target)
        _write_whole(self.folder / f"{key}.json", json.dumps({"name": name, "rows": rows}).encode())
        self.drop(key)

    def publish(self, names: Sequence[str], to: Path, *, folder: bool) -> None:
        """Make the finished files the output, in one step."""
        if not folder:
            (self.tables / names[0]).replace(to)
            return
        wanted = {self.tables / name for name in names}
        for path in sorted(self.tables.rglob("*"), reverse=True):
            if path.is_file() and path not in wanted:
                path.unlink()  # of an input that is gone
            elif path.is_dir() and not any(path.iterdir()):
                path.rmdir()
        if to.is_dir():
            to.rmdir()  # an empty one
        self.tables.replace(to)


def kept_piece(works: Path, start: int, rows: int) -> pa.RecordBatch | None:
    """Predictions that were kept for `rows` rows from `start` on; None where there are none that can be read."""
    try:
        with pa.OSFile(str(works / f"{start}.arrow")) as file, pa.ipc.open_file(file) as found:
            piece = found.get_batch(0)
    except (OSError, pa.ArrowException):
        return None
    return piece if piece.num_rows == rows else None


def keep_piece(works: Path, start: int, piece: pa.RecordBatch) -> None:
    """Keep the predictions for the rows from `start` on, so that a kill does not lose them."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, piece.schema) as writer:
        writer.write_batch(piece)
    _write_whole(works / f"{start}.arrow", sink.getvalue())


# ----------------------------------------------------------------------------------------------------------------------


def _write_whole(path: Path, content: bytes | pa.Buffer) -> None:
    fresh = path.with_name(f"{path.name}.new")
    fresh.write_bytes(content)
    os.replace(fresh, path)  # noqa: PTH105 - pathlib's replace is the same call
