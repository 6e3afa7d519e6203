"""A backup as a file: a tar of members, compressed by Zstandard, whose last member holds the SHA-256 of all others.

Any tar reads it: `tar --zstd -xf FILE`, then `sha256sum -c SHA256SUMS`. Everything is streamed: memory stays flat
however large or many the members are.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from trilho.errors import BackupDamaged, BackupFailed

MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
_PIECE = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Member:
    """One member while it is read: `stream` gives its bytes once, in order."""

    name: str
    size: int
    stream: IO[bytes]


class Writer:
    """Adds members in the order of the calls."""

    def __init__(self, tar: tarfile.TarFile, sums: IO[bytes]) -> None:
        self._tar = tar
        self._sums = sums

    def add(self, name: str, stream: IO[bytes], size: int) -> bool:
        """Add `size` bytes of `stream`; whether it had as many. What a shrinking file lacks is filled with zeros."""
        source = _Read(stream, size)
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, int(time.time()), 0o600
        self._tar.addfile(info, source)
        self._sums.write(_line(source.sum.hexdigest(), name))
        return not source.lacking

    def finish(self, manifest: dict[str, Any]) -> None:
        """Add the manifest and the sums; nothing can follow."""
        text = json.dumps(manifest, indent=1).encode()  # escaped: a name of a file need not be UTF-8
        self.add(MANIFEST, BytesIO(text), len(text))
        size = self._sums.tell()
        self._sums.seek(0)
        info = tarfile.TarInfo(SUMS)
        info.size, info.mode = size, 0o600
        self._tar.addfile(info, self._sums)


@contextmanager
def writing(file: Path) -> Iterator[Writer]:
    """A new backup at `file`, which appears there whole, at the end, or not at all.

    Raises:
        BackupFailed: there is something at `file` already, or no folder for it.
        OSError: the disk is full.
    """
    import pyarrow

    if file.exists():
        raise _exists(file)
    if not file.parent.is_dir():
        raise BackupFailed(
            f"There is no folder {file.parent}.", state="Nothing was written.", remedy=f"mkdir -p {file.parent}"
        )
    handle, name = tempfile.mkstemp(prefix=f"{file.name}.", suffix=".part", dir=file.parent)  # readable by us alone
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as out, tempfile.TemporaryFile(dir=file.parent) as sums:
            packed = pyarrow.CompressedOutputStream(out, "zstd")
            try:
                with tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as tar:
                    yield Writer(tar, sums)
                packed.close()
            except BaseException:
                with suppress(OSError):  # says once more that the disk is full
                    packed.close()
                raise
        _settle(part)
        _appear(part, file)
    finally:
        part.unlink(missing_ok=True)


def members(file: Path) -> Iterator[Member]:
    """The members of a backup in their order, the manifest the last; each is to be read before the next one is taken.

    Raises:
        BackupDamaged: it is cut short, altered, or no backup. What was given out until then may be wrong.
        BackupFailed: there is no such file.
    """
    try:
        with file.open("rb") as raw, tempfile.TemporaryFile() as sums:
            yield from _members(raw, sums)
    except FileNotFoundError as error:
        raise BackupFailed(f"There is no file {file}.", remedy="Name a file that trilho backup wrote.") from error
    except IsADirectoryError as error:
        raise BackupFailed(f"{file} is a folder.", remedy="Name a file that trilho backup wrote.") from error
    except _Altered as error:
        raise _damaged(file, str(error)) from error


# ----------------------------------------------------------------------------------------------------------------------


class _Altered(Exception):
    """What is wrong with it."""


class _Read:
    """The first `size` bytes of a stream, summed on the way; zeros where it ends early."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._left = size
        self.sum = hashlib.sha256()
        self.lacking = False

    def read(self, size: int = _PIECE) -> bytes:
        wanted = min(size, self._left)
        data = b"" if self.lacking else self._stream.read(wanted)
        if not data and wanted:
            self.lacking = True
            data = bytes(wanted)
        self._left -= len(data)
        self.sum.update(data)
        # A stream may give less than it was asked for, and tarfile takes that for its end.
        return data if len(data) == wanted else data + self.read(wanted - len(data))


def _members(raw: IO[bytes], sums: IO[bytes]) -> Iterator[Member]:
    import pyarrow

    with _as_damage():
        tar = tarfile.open(fileobj=pyarrow.CompressedInputStream(raw, "zstd"), mode="r|")  # noqa: SIM115
    whole = False
    while True:
        with _as_damage():
            info = tar.next()
        if info is None:
            break
        if whole or not info.isfile():
            raise _Altered(f"It holds {info.name}, which is not listed.")
        with _as_damage():
            stream = tar.extractfile(info)
        assert stream is not None  # it is a file
        if info.name == SUMS:
            _compare(stream, sums)
            whole = True
            continue
        summed = _Summed(stream)
        yield Member(name=info.name, size=info.size, stream=summed)  # type: ignore[arg-type]
        while summed.read(_PIECE):
            pass  # what the caller did not want is summed all the same
        if summed.count != info.size:
            raise _Altered(f"{info.name} is cut short.")
        sums.write(_line(summed.sum.hexdigest(), info.name))
    if not whole:
        raise _Altered("Its end is missing.")


class _Summed:
    """A member's bytes, summed on the way."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.sum = hashlib.sha256()
        self.count = 0

    def read(self, size: int = -1) -> bytes:
        with _as_damage():
            data = self._stream.read(size)
        self.sum.update(data)
        self.count += len(data)
        return data


@contextmanager
def _as_damage() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, tarfile.TarError, EOFError, ValueError) as error:
        raise _Altered(str(error).rstrip(".") + ".") from error


def _compare(stream: IO[bytes], sums: IO[bytes]) -> None:
    sums.seek(0)
    while True:
        with _as_damage():
            said = stream.readline()
        found = sums.readline()
        if said != found:
            line = (said or found).decode("utf-8", "replace")
            raise _Altered(f"{line[66:].strip()} is not what was written: its SHA-256 differs.")
        if not said:
            return


def _line(digest: str, name: str) -> bytes:
    """A line that sha256sum understands; a name with a line end in it is escaped as it wants."""
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n")
    return f"{'' if escaped == name else chr(92)}{digest}  {escaped}\n".encode("utf-8", "surrogateescape")


def _settle(part: Path) -> None:
    """On the disk, and not only on its way there, before it gets its name."""
    with part.open("rb+") as written:
        os.fsync(written.fileno())


def _appear(part: Path, file: Path) -> None:
    try:
        os.link(part, file)  # unlike a rename, never overwrites what came there meanwhile
    except FileExistsError as error:
        raise _exists(file) from error
    except OSError:  # a file system without links
        if file.exists():
            raise _exists(file) from None
        part.replace(file)


def _exists(file: Path) -> BackupFailed:
    return BackupFailed(
        f"{file} exists already.",
        state="It was not touched.",
        why="A backup never overwrites anything.",
        remedy="Choose another name; the date makes a good one: trilho backup backup-$(date +%F).tar.zst",
    )


def _damaged(file: Path, why: str) -> BackupDamaged:
    return BackupDamaged(
        f"{file} is no whole backup.",
        state="Nothing was changed.",
        why=why,
        remedy=f"Use another copy of it, or an older backup. Whether one is whole: trilho restore {file} --dry-run",
    )
