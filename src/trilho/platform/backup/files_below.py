"""All files of a folder of artifacts, those that links lead to included."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[Path]:
    """The files in `folder` and in its folders, in an order that does not change; none where there is no such folder.

    Links are followed, and one that leads back to a folder it is in is passed by. A link that leads to nothing is among
    the files: who asked decides what that means.

    Raises:
        OSError: a folder cannot be read, or `folder` is a link that leads to nothing.
    """
    return _below(folder, frozenset())


def _below(folder: Path, above: frozenset[tuple[int, int]]) -> Iterator[Path]:
    try:
        found = folder.stat()
    except (FileNotFoundError, NotADirectoryError):  # gone since it was listed; or nothing was ever kept here
        if folder.is_symlink():
            raise
        return
    here = (found.st_dev, found.st_ino)
    if here in above:
        return
    try:
        with os.scandir(folder) as listed:
            entries = sorted((entry.name, entry.is_dir()) for entry in listed)
    except FileNotFoundError:
        return
    yield from (folder / name for name, is_folder in entries if not is_folder)
    for name, is_folder in entries:
        if is_folder:
            yield from _below(folder / name, above | {here})
