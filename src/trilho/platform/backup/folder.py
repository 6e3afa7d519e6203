"""Artifacts in a folder."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from trilho.errors import BackupDamaged
from trilho.platform.backup.artifact_store import UNFINISHED, Stored

_PIECE = 1 << 20


class Folder:
    """The files below `root`."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.shown = str(root)

    def files(self, under: str = "") -> Iterator[Stored]:
        top = self._root / under
        for folder, below, names in os.walk(top):
            below.sort()
            for name in sorted(names):
                path = Path(folder, name)
                relative = path.relative_to(self._root).as_posix()
                if relative == UNFINISHED:
                    continue
                with suppress(FileNotFoundError):  # gone since it was listed
                    found = path.stat()
                    if stat.S_ISREG(found.st_mode):
                        yield Stored(path=relative, size=found.st_size, modified=found.st_mtime)

    @contextmanager
    def reading(self, path: str) -> Iterator[tuple[IO[bytes], Stored] | None]:
        try:
            stream = (self._root / path).open("rb")
        except FileNotFoundError:
            yield None
            return
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
            with part.open("wb") as out:
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
            mark.write_text(text, encoding="utf-8")
        else:
            mark.unlink(missing_ok=True)
