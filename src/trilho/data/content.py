"""The fingerprint of a source's content, found without reading it where the file system can tell that it is unchanged.

Imports neither pandas nor numpy nor scikit-learn: an unchanged `trilho run` does no more than this.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from trilho.data.files import Files, files_of
from trilho.data.memory import contents
from trilho.data.source import ending_of, parse, require_known_options

_NONE: Mapping[str, Any] = {}


def fingerprint(
    source: str, *, root: Path, options: Mapping[str, Any] = _NONE, memory: Path | None = None
) -> str | None:
    """What names the content of `source`: equal bytes read in the same way, equal fingerprint, wherever they lie.

    Args:
        source: As in `data.source` of trilho.yaml.
        root: The folder that relative paths start from.
        options: The reader's options. They are part of the fingerprint, because they change what is read.
        memory: A file that remembers contents by path, size, times and inode, for example .trilho/files; made when it
            does not exist, ignored when it is damaged.

    Returns:
        40 hexadecimal digits, the same that `load` puts into the Dataset; None where only reading can tell: the answer
        of a database or of a function.

    Raises:
        UnknownName: no reader takes this source, or the reader has no such option.
        SourceUnreadable: a file is missing or cannot be read.
    """
    found = parse(source, root)
    if found.reader in ("sql", "function"):
        return None
    if found.reader == "sklearn":
        require_known_options(found, "sklearn", options)
        return _hashed(["sklearn", found.name, version("scikit-learn")])
    files = files_of(found)
    require_known_options(found, files.reader, options)
    return fingerprint_of_files(files, options, memory)


def fingerprint_of_files(files: Files, options: Mapping[str, Any], memory: Path | None) -> str:
    """The same for files that are listed already."""
    if files.single:
        # The ending decides how the bytes are read (.tsv, .gz); the rest of the name says nothing about the content.
        names = [ending_of(files.names[0])]
    else:
        names = list(files.names)  # in a folder names are content: they order the rows and can hold columns (year=2026)
    head = [files.reader, names, {name: options[name] for name in sorted(options)}]
    return _hashed(head, b"".join(contents(files, memory)))


def _hashed(head: list[Any], body: bytes = b"") -> str:
    hasher = hashlib.blake2b(json.dumps(head, sort_keys=True, default=str).encode(), digest_size=20)
    hasher.update(b"\0" + body)
    return hasher.hexdigest()
