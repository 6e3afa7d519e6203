"""Where a tracking server keeps artifacts: a folder or an S3 bucket, as files by their path under it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

UNFINISHED = ".trilho-restore"  # there while a restore is not done; no artifact


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One file. `path` is "1/RUN/artifacts/model.pkl", with slashes on every system."""

    path: str
    size: int
    modified: float  # seconds since 1970, by the clock of the store


class ArtifactStore(Protocol):
    """What folder.py and bucket_store.py can do. All raise BackupFailed where the store refuses or is not there."""

    @property
    def shown(self) -> str:
        """Its address, without secrets."""
        ...

    def files(self, under: str = "") -> Iterator[Stored]:
        """The files in it, or in its folder `under`. What a restore left as its mark is none."""
        ...

    def reading(self, path: str) -> AbstractContextManager[tuple[IO[bytes], Stored] | None]:
        """A file's bytes, and its size as of now; None where it is gone."""
        ...

    def write(self, path: str, stream: IO[bytes], size: int) -> None:
        """A file whole, in place of one that is there."""
        ...

    def prepare(self) -> None:
        """Make the folder or the bucket where it is missing."""
        ...

    def mark(self) -> str:
        """What the unfinished restore left; "" where there is none."""
        ...

    def set_mark(self, text: str) -> None:
        """Leave the mark; "" removes it."""
        ...


def folder_of(address: str) -> Path | None:
    """The folder that an artifact location of MLflow means on this machine; None where it is none."""
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    if re.match(r"[A-Za-z]:[\\/]", address):
        return Path(address) if os.name == "nt" else None
    parts = urlsplit(address)
    if not parts.scheme:
        return Path(address)
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(url2pathname(parts.path))
    return None
