"""Artifacts in a folder."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from trilho.errors import BackupDamaged, BackupFailed
from trilho.platform.backup.artifact_store import UNFINISHED, Stored
from trilho.platform.backup.files_below import files_below

_PIECE = 1 << 20


class Folder:
    """The files below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.shown = str(root)

    def files(self, under: str = "") -> Iterator[Stored]:
        try:
            for path in files_below(self._root / under):
                relative = path.relative_to(self._root).as_posix()
                if relative == UNFINISHED:
                    continue
                try:
                    found = path.stat()
                except FileNotFoundError:
                    if path.is_symlink():
                        raise
                    continue  # gone since it was listed
                if stat.S_ISREG(found.st_mode):
                    yield Stored(path=relative, size=found.st_size, modified=found.st_mtime)
        except OSError as error:
            raise _unreadable(Path(error.filename or self._root), error) from error

    @contextmanager
    def reading(self, path: str) -> Iterator[tuple[IO[bytes], Stored] | None]:
        try:
            stream = (self._root / path).open("rb")
        except FileNotFoundError:
            yield None
            return
        except OSError as error:
            raise _unreadable(self._root / path, error) from error
        with stream:
            found = os.fstat(stream.fileno())
            yield stream, Stored(path=path, size=found.st_size, modified=found.st_mtime)

    def write(self, path: str, stream: IO[bytes], size: int) -> None:
        target = self._root.joinpath(*path.split("/"))
        if ".." in path.split("/") or not target.is_relative_to(self._root):
            raise BackupDamaged(
                f"The backup holds an artifact called '{path}', which would leave {self._root}.",
                state="It was not written.",
                remedy="Do not use this file: trilho backup writes no such names.",
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_name(f".{target.name[:100]}.part")
        try:
            part.unlink(missing_ok=True)
            with part.open("xb") as out:  # no link that somebody else put there is followed
                shutil.copyfileobj(stream, out, _PIECE)
                if out.tell() != size:
                    raise OSError(f"{path} ended after {out.tell()} of {size} bytes")
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)

    def prepare(self) -> None:
        self._root.mkdir(parents=True, exist_ok=True)

    def mark(self) -> str:
        try:
            return (self._root / UNFINISHED).read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def set_mark(self, text: str) -> None:
        mark = self._root / UNFINISHED
        if text:
            with mark.open("w", encoding="utf-8") as out:
                out.write(text)
                out.flush()
                os.fsync(out.fileno())  # it outlives a power cut that a half-written database outlives
        else:
            mark.unlink(missing_ok=True)


# ----------------------------------------------------------------------------------------------------------------------


def _unreadable(path: Path, error: OSError) -> BackupFailed:
    if isinstance(error, FileNotFoundError):  # it is listed, and not there
        return BackupFailed(
            f"The link {path} leads to nothing: {path.readlink()} is not there.",
            why="What lies there would be left out.",
            remedy="Is a disk not mounted? Mount it. If its files are gone for good, delete the link.",
        )
    return BackupFailed(
        f"{path} may not be read.",
        why=f"{error.strerror or error}. What lies there would be left out.",
        remedy="Run the command as the user who runs the server, or correct the cause.",
    )
