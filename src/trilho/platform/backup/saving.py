"""trilho backup: database and artifacts as one file, while the server goes on.

The database first, then the artifacts: whatever a row names was logged before, and artifacts are never changed, so each
is in the backup. What is logged meanwhile may leave artifacts without a row, which do no harm; the manifest names them.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from trilho.errors import BackupFailed
from trilho.platform.backup.archive import Writer, writing
from trilho.platform.backup.artifact_store import ArtifactStore, Stored, folder_of
from trilho.platform.backup.database_copy import DatabaseCopy, copy_database
from trilho.platform.backup.locations import PROXIED, Outside, models_of, moves_of, names_artifacts, unowned
from trilho.platform.backup.manifest import Counts, Manifest, Move
from trilho.platform.backup.opening import open_store
from trilho.platform.backup.tables import revision_of
from trilho.platform.backup.unfinished import begun_in
from trilho.platform.database_address import DatabaseAddress
from trilho.platform.service import Say, silent

ARTIFACTS = "artifacts/"
_TELL_EVERY = 5.0


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A backup that was made."""

    file: Path
    bytes: int
    seconds: float
    manifest: Manifest

    @property
    def complete(self) -> bool:
        """Whether nothing is missing that a row names, and nothing was left out."""
        return not self.manifest.missing and not self.manifest.left_out


def back_up(
    file: Path, address: DatabaseAddress, destination: str, *, damaged_too: bool = False, say: Say = silent
) -> Saved:
    """Write a backup of a tracking server's database and artifacts to `file`. The server may run, and be written to.

    Args:
        file: Where nothing is yet. Until the backup is whole it has another name beside this one.
        destination: A folder, or s3://BUCKET/PREFIX: what the server was given as --artifacts-destination.
        damaged_too: A SQLite file that cannot be read is kept as it is.
        say: Told how far it is.

    Raises:
        BackupFailed: see its message; nothing is left at `file`.
        OSError: the disk is full; nothing is left at `file`.
    """
    began = time.time()
    store = open_store(destination)
    if not damaged_too and begun_in(store):
        raise BackupFailed(
            f"A restore into {store.shown} was begun and not finished.",
            state="Nothing was written.",
            remedy="Finish it first: run the same trilho restore again.",
        )
    with (
        writing(file) as writer,
        tempfile.TemporaryDirectory(prefix=f"{file.name}.", suffix=".part", dir=file.parent) as folder,
    ):
        say(f"Copying the database {address.shown}")
        copy = copy_database(address, Path(folder), damaged_too=damaged_too)
        copied = time.time()
        for name, source in copy.files.items():
            with source.open("rb") as stream:
                writer.add(name, stream, source.stat().st_size)
        manifest = _Artifacts(writer, address, destination, began, say).add(store, copy)
        writer.finish(manifest.to_json())
    say(f"The database took {copied - began:.1f} s, the artifacts {time.time() - copied:.1f} s")
    return Saved(file=file, bytes=file.stat().st_size, seconds=time.time() - began, manifest=manifest)


# ----------------------------------------------------------------------------------------------------------------------


class _Artifacts:
    """The second half of a backup, and what is learned on the way."""

    def __init__(self, writer: Writer, address: DatabaseAddress, destination: str, began: float, say: Say) -> None:
        self._writer = writer
        self._address = address
        self._destination = destination
        self._began = began
        self._say = say
        self._said = time.monotonic()
        self._files = self._bytes = 0
        self._later: list[str] = []
        self._models: set[str] = set()  # folders of models that have files
        self._homes: dict[str, bool] = {}  # an experiment's location → whether there is any file

    def add(self, store: ArtifactStore, copy: DatabaseCopy) -> Manifest:
        moves: tuple[Move, ...] = ()
        outside: tuple[Outside, ...] = ()
        if not copy.damaged:
            moves, outside = moves_of(self._address, self._destination)
        for found in store.files():
            self._one(store, found, found.path)
        missing: list[str] = []
        if not self._files and not copy.damaged and names_artifacts(self._address, self._destination):
            missing.append(self._empty(store))
        lost = [place for place in outside if not self._fetch(place)]
        left_out = [place.address for place in lost]
        if not copy.damaged:
            left_out += unowned(self._address, self._destination, moves)
        kept = set(left_out)
        moves = tuple(move for move in moves if move.before not in kept)
        return Manifest(
            made=datetime.fromtimestamp(self._began, UTC).isoformat(timespec="seconds"),
            trilho=version("trilho"),
            mlflow=version("mlflow"),
            database=self._address.kind,
            schema="" if copy.damaged else revision_of(self._address),
            damaged=copy.damaged,
            rows=copy.rows,
            counts=Counts(
                experiments=copy.rows.get("experiments", 0),
                runs=copy.rows.get("runs", 0),
                versions=copy.versions,
                artifacts=self._files,
                bytes=self._bytes,
            ),
            moves=moves,
            missing=() if copy.damaged else (*missing, *self._missing(moves)),
            left_out=tuple(left_out),
            later=tuple(self._later),
        )

    def _one(self, store: ArtifactStore, listed: Stored, path: str) -> None:
        with store.reading(listed.path) as opened:
            if opened is None:  # deleted since it was listed
                return
            stream, found = opened
            whole = self._writer.add(ARTIFACTS + path, stream, found.size)
        self._files += 1
        self._bytes += found.size
        if not whole or found.modified >= self._began:
            self._later.append(path)
        head, middle, tail = path.partition("/models/")
        if middle and "/" not in head:
            self._models.add(f"{head}/models/{tail.partition('/')[0]}")
        if time.monotonic() - self._said > _TELL_EVERY:
            self._said = time.monotonic()
            self._say(f"Artifacts: {self._files} files, {self._bytes / 1e6:.0f} MB")

    def _empty(self, store: ArtifactStore) -> str:
        """The address of a store that is there, and without a file."""
        folder = folder_of(self._destination)
        if folder is not None and not folder.is_dir():
            raise BackupFailed(
                f"There is no folder {folder}.",
                state="Nothing was written.",
                why="The database has runs that keep their artifacts there.",
                remedy="Is its name right, and its disk mounted? If no run ever had artifacts, make an empty folder.",
            )
        return store.shown

    def _fetch(self, place: Outside) -> bool:
        """Add files that lie elsewhere; False where this machine cannot read them.

        A run without files is one that has none where others of its experiment have some. Where there is none at all,
        a disk may not be mounted, or be another machine's.
        """
        before = self._files
        try:
            store = open_store(place.address)
            for found in store.files():
                self._one(store, found, f"{place.path}/{found.path}")
            return self._files > before or self._has_files(place.home)
        except BackupFailed as error:
            self._say(f"Left out: {error.what}")
            return False

    def _has_files(self, home: str) -> bool:
        if home not in self._homes:
            self._homes[home] = bool(home) and next(open_store(home).files(), None) is not None
        return self._homes[home]

    def _missing(self, moves: tuple[Move, ...]) -> Iterator[str]:
        moved = {move.before: move.after for move in moves}
        for model, location in models_of(self._address, self._began):
            place = moved.get(location, location)
            if place.startswith(PROXIED) and "/".join(place.removeprefix(PROXIED).split("/")[:3]) not in self._models:
                yield model
