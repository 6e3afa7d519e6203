"""What the files contained when they were last looked at, so that an unchanged folder is not read again.

The file holds a checksum and a MessagePack map: folder and pattern → names, stamps and digests. It is only ever a
shortcut: a memory that is missing, damaged or cannot be written costs time, never correctness. Two processes may write
at once; the later one wins, whole.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import time
from pathlib import Path

import msgspec

from trilho.data.files import Files, Stamp, digests

# A file that was changed this shortly before it was looked at may be changed again without a new time of change,
# because file systems count time in steps: FAT in 2 s, HFS+ in 1 s, most others in milliseconds. Git knows this as
# "racily clean". Such a file is not remembered yet; it is the next look that remembers it.
STEP_OF_FILE_TIMES_NS = 2_000_000_000
_CHECK = 20  # bytes of checksum in front


class _Folder(msgspec.Struct, array_like=True):
    names: tuple[str, ...]
    stamps: tuple[Stamp, ...]
    digests: tuple[bytes, ...]


_Memory = dict[str, _Folder]


def contents(files: Files, memory: Path | None) -> list[bytes]:
    """The digest of each of `files`, in their order; reads only those that changed since `memory` was written.

    Raises:
        SourceUnreadable: a file that must be read cannot be.
    """
    place = f"{files.folder}|{files.source}"
    known = _read(memory).get(place) if memory else None
    if known and known.names == files.names and known.stamps == files.stamps:
        return list(known.digests)

    looked_at = time.time_ns()
    remembered = dict(zip(known.names, zip(known.stamps, known.digests, strict=True), strict=True)) if known else {}
    found: dict[str, bytes] = {}
    for name, stamp in zip(files.names, files.stamps, strict=True):
        entry = remembered.get(name)
        if entry and entry[0] == stamp:
            found[name] = entry[1]
    unknown = [name for name in files.names if name not in found]
    found.update(zip(unknown, digests(files.folder, unknown), strict=True))
    if memory:
        settled = [
            (name, stamp, found[name])
            for name, stamp in zip(files.names, files.stamps, strict=True)
            if max(stamp[1], stamp[2]) + STEP_OF_FILE_TIMES_NS < looked_at
        ]
        _keep(memory, place, _Folder(*(tuple(part) for part in zip(*settled, strict=True))) if settled else None)
    return [found[name] for name in files.names]


def _read(memory: Path) -> _Memory:
    try:
        raw = memory.read_bytes()
        if hashlib.blake2b(raw[_CHECK:], digest_size=_CHECK).digest() == raw[:_CHECK]:
            return msgspec.msgpack.decode(raw[_CHECK:], type=_Memory)
    except (OSError, msgspec.MsgspecError):
        pass
    return {}


def _keep(memory: Path, place: str, folder: _Folder | None) -> None:
    """Put one folder's entries into the memory, leaving those of other sources as they are by now."""
    everything = _read(memory)
    before = everything.pop(place, None)
    if before == folder:
        return
    if folder:
        everything[place] = folder
    raw = msgspec.msgpack.encode(everything)
    whole = hashlib.blake2b(raw, digest_size=_CHECK).digest() + raw
    try:
        memory.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=memory.parent, prefix=f".{memory.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(whole)
            Path(draft).replace(memory)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError:
        return  # a full disk or a read-only folder makes the next look slow, not wrong
