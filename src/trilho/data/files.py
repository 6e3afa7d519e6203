"""The files behind a source: which they are, what the file system says about each, what they contain.

Runs on every `trilho run`, so it touches a file's content only where the memory does not know it.
"""

from __future__ import annotations

import fnmatch
import glob
import hashlib
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from trilho.data.problems import did_you_mean, listed
from trilho.data.source import ENDINGS, ENDINGS_OF, Format, Source
from trilho.errors import SourceUnreadable

# Size, time of last change of the content, time of last change of anything, inode. A plain tuple: a folder has 10,000
# of them, and two tuples of tuples compare in one call. The third cannot be set by hand, so a changed file with its old
# size and its old mtime put back is still noticed (not on Windows, where it is the time of creation).
Stamp: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, kw_only=True)
class Files:
    """The files of a source in the order they are read: by name.

    `names` are relative to `folder`, with forward slashes; `stamps` belong to them one by one.
    """

    source: str
    reader: Format
    folder: Path
    names: tuple[str, ...]
    stamps: tuple[Stamp, ...]
    single: bool  # the source names this one file, so that its name is no part of the content

    @property
    def paths(self) -> tuple[Path, ...]:
        return tuple(self.folder / name for name in self.names)


def files_of(source: Source) -> Files:
    """The files that `source` stands for, now.

    Raises:
        SourceUnreadable: there is none, they cannot be listed, or they are of different formats.
    """
    path = Path(source.address)
    try:
        if source.reader == "csv" or source.reader == "parquet":
            return _single(source, path, source.reader)
        folder, names = (path, _below(path)) if path.is_dir() else _matching(source, path)
        names = sorted(names)
        reader = _one_format(source, folder, names)
        stamps = _stamps(folder, names)
    except OSError as error:
        raise _cannot_list(source, path, error) from error
    return Files(source=source.text, reader=reader, folder=folder, names=tuple(names), stamps=stamps, single=False)


def digest(path: Path | str) -> bytes:
    """The content of a file as 20 bytes of BLAKE2b."""
    with open(path, "rb") as file:  # noqa: PTH123 - called 10,000 times in a row
        return hashlib.file_digest(file, _blake2b).digest()


def digests(folder: Path, names: Sequence[str]) -> list[bytes]:
    """The contents of many files; hashing leaves the interpreter's lock, so it runs on a few threads."""
    paths = [os.path.join(folder, name) for name in names]  # noqa: PTH118 - fast path
    try:
        if len(paths) == 1:
            return [digest(paths[0])]
        with ThreadPoolExecutor(min(8, os.cpu_count() or 1)) as pool:
            return list(pool.map(digest, paths))
    except OSError as error:
        raise SourceUnreadable(
            f"{error.filename} cannot be read: {error.strerror}.", remedy="Make the file readable, or drop it."
        ) from error


def require_unchanged(before: Files, source: Source) -> None:
    """Refuse what was read while somebody wrote it: its fingerprint would name another content.

    Raises:
        SourceUnreadable: names the first file that differs.
    """
    after = files_of(source)
    if (before.names, before.stamps) == (after.names, after.stamps):
        return
    now = dict(zip(after.names, after.stamps, strict=True))
    was = dict(zip(before.names, before.stamps, strict=True))
    changed = next(name for name in sorted({*now, *was}) if now.get(name) != was.get(name))
    raise SourceUnreadable(
        f"{before.folder / changed} changed while it was being read.",
        why="Half of the rows could be old and half new.",
        remedy="Run again when its writer is done; a writer that renames a finished file into place avoids this.",
    )


def _blake2b() -> hashlib.blake2b:
    return hashlib.blake2b(digest_size=20)


def _single(source: Source, path: Path, reader: Format) -> Files:
    return Files(
        source=source.text,
        reader=reader,
        folder=path.parent,
        names=(path.name,),
        stamps=_stamps(path.parent, [path.name]),
        single=True,
    )


def _stamps(folder: Path, names: Iterable[str]) -> tuple[Stamp, ...]:
    prefix = os.path.join(folder, "")  # noqa: PTH118 - fast path
    return tuple(
        (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
        for stat in map(os.stat, [prefix + name for name in names])
    )


def _below(folder: Path) -> list[str]:
    """Table files in a folder and its folders. Hidden files and names like _SUCCESS are no data, as everywhere."""
    found: list[str] = []
    prefixes = [""]
    while prefixes:
        prefix = prefixes.pop()
        with os.scandir(folder / prefix) as entries:
            for entry in entries:
                name = entry.name
                if name[0] in "._":
                    continue
                if entry.is_dir():
                    prefixes.append(f"{prefix}{name}/")
                elif name.lower().endswith(ENDINGS):
                    found.append(prefix + name)
    return found


def _matching(source: Source, pattern: Path) -> tuple[Path, list[str]]:
    """The pattern's part without wildcards, and the files below it that match the rest."""
    parts = pattern.parts
    written = len(Path(source.text).parts)  # a bracket in the path of the project itself is no wildcard
    first = next(place for place, part in enumerate(parts) if place >= len(parts) - written and glob.has_magic(part))
    folder, rest = Path(*parts[:first]), parts[first:]
    if len(rest) == 1:  # one folder: faster than glob
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if entry.name[0] != "."]
        return folder, [name for name in fnmatch.filter(found, rest[0]) if name.lower().endswith(ENDINGS)]
    matches = glob.glob("/".join(rest), root_dir=folder, recursive=True)  # noqa: PTH207 - names stay relative
    return folder, [name.replace(os.sep, "/") for name in matches if name.lower().endswith(ENDINGS)]


def _one_format(source: Source, folder: Path, names: Sequence[str]) -> Format:
    text = next((name for name in names if name.lower().endswith(ENDINGS_OF["csv"])), None)
    parquet = next((name for name in names if name.lower().endswith(ENDINGS_OF["parquet"])), None)
    if text is None and parquet:
        return "parquet"
    if text and parquet is None:
        return "csv"
    if text and parquet:
        raise SourceUnreadable(
            f"'{source.text}' holds both text and Parquet files: {text}, {parquet}.",
            remedy=f"Name one kind of them: data.source: {source.text.split('*')[0].rstrip('/')}/*.parquet",
        )
    there = _entries(folder)
    raise SourceUnreadable(
        f"'{source.text}' matches no .parquet, .csv or .tsv file.",
        why=f"{folder} holds: {listed(there) or 'nothing'}.",
        remedy="Correct data.source in trilho.yaml, or put the files there; relative paths start at the project.",
    )


def _entries(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []


def _cannot_list(source: Source, path: Path, error: OSError) -> SourceUnreadable:
    missing = Path(error.filename) if error.filename else path
    if not isinstance(error, FileNotFoundError):
        return SourceUnreadable(
            f"{missing} cannot be opened: {error.strerror}.", remedy="Make it readable for the user who runs trilho."
        )
    folder = missing.parent
    while not folder.is_dir() and folder != folder.parent:
        missing, folder = folder, folder.parent
    there = _entries(folder)
    return SourceUnreadable(
        f"'{source.text}' does not exist: {folder} has no '{missing.name}'.{did_you_mean(missing.name, there)}",
        why=f"{folder} holds: {listed(there) or 'nothing'}.",
        remedy="Correct data.source in trilho.yaml, or put the file there; relative paths start at the project.",
    )
