"""The bundle as one file: a plain tar in one exact form, so that equal content gives equal bytes.

    manifest.json       first: format, runtime, size and SHA-256 of every other member; at its end its own checksum
    code/… … words.json the members, sorted by name, all fields of their headers fixed

Whoever reads it accepts this form only. Headers, padding and the end are compared byte by byte with what they must be,
contents with their checksums: there is no byte that can change unnoticed, and no name that leads out of the folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Any

from trilho.errors import BundleDamaged

MANIFEST = "manifest.json"
FORMAT = 1

_BLOCK = 512
_END = 2 * _BLOCK
_LARGEST_MANIFEST = 64 << 20
_REMEDY = "Fetch it again (trilho serve does at its next start), or build it anew: trilho run --force"


def write_archive(members: Mapping[str, bytes], facts: Mapping[str, Any], out: Path) -> str:
    """Write `members` and a manifest that holds `facts`; atomically, a file that is there is replaced.

    Returns:
        SHA-256 of the file, hexadecimal.
    """
    digests = {name: {"size": len(members[name]), "sha256": _sha256(members[name])} for name in sorted(members)}
    manifest = _sealed({"format": FORMAT, **facts, "members": digests})
    out.parent.mkdir(parents=True, exist_ok=True)
    total = hashlib.sha256()
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=".bundle-")
    try:
        with os.fdopen(handle, "wb") as file:
            for piece in _pieces([(MANIFEST, manifest), *((name, members[name]) for name in digests)]):
                total.update(piece)
                file.write(piece)
        Path(name).replace(out)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return total.hexdigest()


class Contents:
    """What lies in a bundle, an archive or the folder it was extracted to. Every read is checked.

    Raises:
        BundleDamaged: on making it, where the manifest does not hold; on reading, where a member does not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, int] = {}
        try:
            if path.is_dir():
                self.manifest = _unsealed((path / MANIFEST).read_bytes(), path)
            else:
                with path.open("rb") as file:
                    self.manifest = self._survey(file)
        except OSError as error:
            raise damaged(path, f"{error.filename or path} cannot be read: {error.strerror}.") from error

    @property
    def members(self) -> tuple[str, ...]:
        return tuple(self.manifest["members"])

    def read(self, name: str) -> bytes:
        """A member's bytes, compared with their checksum."""
        expected = self.manifest["members"].get(name)
        if expected is None:
            raise damaged(self.path, f"It has no member '{name}'.")
        try:
            if self.path.is_dir():
                content = (self.path / name).read_bytes()
            else:
                with self.path.open("rb") as file:
                    file.seek(self._places[name])
                    content = file.read(expected["size"])
        except OSError as error:
            raise damaged(self.path, f"'{name}' cannot be read: {error.strerror}.") from error
        if len(content) != expected["size"] or _sha256(content) != expected["sha256"]:
            raise damaged(self.path, f"The content of '{name}' is not what the manifest says.")
        return content

    def digest(self) -> str:
        """SHA-256 of the archive that these contents make, every member checked on the way."""
        total = hashlib.sha256()
        manifest = _sealed({key: value for key, value in self.manifest.items() if key != "checksum"})
        entries = ((name, self.read(name)) for name in self.members)
        for piece in _pieces(_chain((MANIFEST, manifest), entries)):
            total.update(piece)
        return total.hexdigest()

    def extract(self, to: Path) -> None:
        """Write all members below the folder `to`, which must not exist yet; whole or not at all."""
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=to.parent, prefix=".bundle-") as made:
            folder = Path(made) / "bundle"
            for name in self.members:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(self.read(name))
            manifest = _sealed({key: value for key, value in self.manifest.items() if key != "checksum"})
            (folder / MANIFEST).write_bytes(manifest)
            folder.rename(to)

    def _survey(self, file: IO[bytes]) -> dict[str, Any]:
        """The manifest, after all headers, paddings and the end were found as they must be."""
        head = file.read(_BLOCK)
        try:
            first = tarfile.TarInfo.frombuf(head, "utf-8", "surrogateescape")
        except tarfile.HeaderError as error:
            raise damaged(self.path, "It is not a trilho bundle, or its beginning is damaged.") from error
        if first.name != MANIFEST or head != _header(MANIFEST, first.size) or first.size > _LARGEST_MANIFEST:
            raise damaged(self.path, "It is not a trilho bundle, or its beginning is damaged.")
        manifest = _unsealed(file.read(first.size), self.path)
        self._expect(file, bytes(-first.size % _BLOCK))
        for name, facts in manifest["members"].items():
            self._expect(file, _header(name, facts["size"]))
            self._places[name] = file.tell()
            file.seek(facts["size"], os.SEEK_CUR)
            self._expect(file, bytes(-facts["size"] % _BLOCK))
        self._expect(file, bytes(_END))
        if file.read(1):
            raise damaged(self.path, "There is something after its end.")
        return manifest

    def _expect(self, file: IO[bytes], wanted: bytes) -> None:
        place = file.tell()
        found = file.read(len(wanted))
        if len(found) < len(wanted):
            raise damaged(self.path, f"It ends at byte {place + len(found)}, before its time.")
        if found != wanted:
            raise damaged(self.path, f"The block at byte {place} is not what the manifest says.")


def verify(path: Path, digest: str = "") -> None:
    """Check a bundle (archive or extracted folder) from the first byte to the last.

    Args:
        digest: What the registry says its archive's SHA-256 is; "" where nobody says.

    Raises:
        BundleDamaged: altered, cut, of a newer format, or not the bundle that `digest` names.
    """
    found = Contents(path).digest()
    if digest and found != digest:
        raise damaged(path, f"It is whole, but another one: SHA-256 {found[:12]}…, the registry says {digest[:12]}….")


def damaged(path: Path, why: str) -> BundleDamaged:
    """The error for a bundle that is not what it must be."""
    return BundleDamaged(
        f"The bundle {path.name} is damaged.",
        state="It was not opened.",
        why=why,
        remedy=f"{_REMEDY}\nIt lies at {path}",
    )


# ----------------------------------------------------------------------------------------------------------------------


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _chain(first: tuple[str, bytes], rest: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    yield first
    yield from rest


def _pieces(members: Any) -> Iterator[bytes]:
    """The archive's bytes in order."""
    for name, content in members:
        yield _header(name, len(content))
        yield content
        yield bytes(-len(content) % _BLOCK)
    yield bytes(_END)


def _header(name: str, size: int) -> bytes:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode, entry.mtime = size, 0o644, 0
    return entry.tobuf(tarfile.USTAR_FORMAT, "utf-8", "surrogateescape")


def _sealed(facts: Mapping[str, Any]) -> bytes:
    return json.dumps({**facts, "checksum": _checksum(facts)}, ensure_ascii=False, indent=1).encode()


def _checksum(facts: Mapping[str, Any]) -> str:
    return _sha256(json.dumps(facts, ensure_ascii=False, sort_keys=True).encode())


def _unsealed(text: bytes, path: Path) -> dict[str, Any]:
    try:
        manifest: dict[str, Any] = json.loads(text)
        version, members = manifest["format"], manifest["members"]
    except (ValueError, TypeError, KeyError) as error:
        raise damaged(path, "Its manifest cannot be read.") from error
    if version != FORMAT:
        raise BundleDamaged(
            f"The bundle {path.name} has format {version!r}; this trilho reads format {FORMAT}.",
            state="It was not opened.",
            remedy="Use the trilho that wrote it or a newer one: pip install -U trilho",
        )
    sealed = manifest.get("checksum") == _checksum({key: value for key, value in manifest.items() if key != "checksum"})
    if not sealed or _sealed({key: value for key, value in manifest.items() if key != "checksum"}) != text:
        raise damaged(path, "Its manifest was altered.")
    if list(members) != sorted(members) or not all(_inside(name) for name in members):
        raise damaged(path, "Its manifest names a file outside of it.")
    return manifest


def _inside(name: str) -> bool:
    """Does the name stay in the folder, on every operating system?"""
    parts = PurePosixPath(name).parts
    plain = name == "/".join(parts) and not set(name) & set('\\:*?"<>|\0')
    return plain and bool(parts) and not {"..", ".", "/"} & set(parts) and name != MANIFEST
