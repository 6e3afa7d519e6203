"""What `trilho doctor --fix --yes` does: a copy of the database, a copy of the files behind the server, then the rows.

In that order, and the old files stay where they are: whenever it is interrupted, each location leads to files that are
whole, and the same command goes on. Rows are written only once every copy was seen at its new place.
"""

from __future__ import annotations

import json
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from trilho.errors import BackupFailed
from trilho.platform.backup.artifact_store import ArtifactStore, folder_of
from trilho.platform.backup.database_copy import copy_database
from trilho.platform.backup.locations import rewrite
from trilho.platform.backup.opening import open_store
from trilho.platform.dated import dated
from trilho.platform.doctor.relocation import Relocation, files_in
from trilho.platform.service import Say, silent

OLD_FOLDERS = "old-folders.txt"

_ROUNDS = 5  # of copying what changed meanwhile

_Stamp = tuple[int, int, int]  # bytes, and when content and file were changed, in nanoseconds


@dataclass(frozen=True, kw_only=True)
class Relocated:
    """What was done."""

    backup: Path  # a folder: the database as it was, moves.json (what became of each location), old-folders.txt
    rows: int
    files: int
    bytes: int
    left: int  # folders whose files are copies by now: those in old-folders.txt


def relocate(plan: Relocation, *, backup_in: Path, say: Say = silent) -> Relocated:
    """Do what `plan` says. The server may run meanwhile.

    Files that come to folders of the plan in that time are taken along. Runs, models, traces and versions that are made
    in that time stay where they are, row and files: another plan has them.

    Args:
        backup_in: The folder in which the backup gets one of its own.

    Raises:
        BackupFailed: there is no room, a file cannot be read, keeps changing or did not arrive, or database or store
            refuses. Rows are changed all at once or not at all, and no file is ever removed.
    """
    store = open_store(plan.destination)
    _check_room(plan)
    backup = dated(backup_in, "before-doctor")
    backup.mkdir(mode=0o700, parents=True)  # a copy of the database holds the users of MLflow, too
    say(f"Copying the database to {backup}")
    copy_database(plan.database, backup)
    moves = {before: after for before, after in plan.locations.items() if before != after}
    (backup / "moves.json").write_text(json.dumps(moves, indent=2) + "\n", encoding="utf-8")
    with _told("No location was changed, and no file removed.", "Put that right, and run the same command again."):
        store.prepare()
        copying = _Copying(plan, store, say)
        copying.go_on()
    say("Rewriting locations")
    # What began after the plan has its files at the old place, though its experiment goes: it stays for the next time.
    rows = rewrite(plan.database, plan.locations, alone={found.before for found in plan.experiments})
    done = f"The locations are rewritten. Every old file is where it was, and the database as it was is in {backup}."
    with _told(done, "Copy what is missing by hand: moves.json in that folder says which location became which."):
        copying.go_on()  # what came in the meantime; from now on nobody is sent to the old paths
    left = [folder for folder in copying.stamps if folder in copying.apart]
    (backup / OLD_FOLDERS).write_text("".join(f"{folder}\n" for folder in left), encoding="utf-8")
    return Relocated(
        backup=backup, rows=rows, files=len(copying.sizes), bytes=sum(copying.sizes.values()), left=len(left)
    )


# ---------------------------------------------------------------------------------------------------------------------


class _Copying:
    """What was copied so far. `apart` are the folders that are known not to be the store itself."""

    def __init__(self, plan: Relocation, store: ArtifactStore, say: Say) -> None:
        self._plan, self._store, self._say = plan, store, say
        self.stamps: dict[Path, dict[Path, _Stamp]] = {folder: {} for folder, _ in plan.folders}
        self.sizes: dict[Path, int] = {}  # of the files that were really copied
        found = {folder: _is_the_store(store, folder, path) for folder, path in plan.folders}
        self._there = {folder for folder, same in found.items() if same}
        inside = folder_of(plan.destination)
        self.apart = {
            folder
            for folder, same in found.items()
            if same is False and not (inside and inside.resolve().is_relative_to(folder.resolve()))
        }

    def go_on(self) -> None:
        """Copy what is new or has changed since it was copied, until nothing has; then look whether all is there."""
        changed: Path | None = None
        for _ in range(_ROUNDS):
            changed = None
            for folder, path in self._plan.folders:
                changed = self._copy(folder, path) or changed
            if changed is None:
                break
        else:
            raise OSError(f"{changed} changes faster than it is copied: stop what writes to it")
        for folder, path in self._plan.folders:
            there = {found.path: found.size for found in self._store.files(path)}
            for file, (size, *_) in self.stamps[folder].items():
                target = f"{path}/{file.relative_to(folder).as_posix()}"
                if there.get(target) != size:
                    raise OSError(f"{file} did not arrive whole as {target}")

    def _copy(self, folder: Path, path: str) -> Path | None:
        """One look at a folder; a file that was copied, if any was."""
        stamps, last = self.stamps[folder], None
        fresh = [file for file in files_in(folder) if stamps.get(file) != _stamp(file)]
        if fresh and folder not in self._there:
            self._say(f"Copying {len(fresh)} files of {path}")
        for file in fresh:
            before = _stamp(file)
            if before is None:
                continue
            if folder not in self._there:
                try:
                    with file.open("rb") as stream:
                        self._store.write(f"{path}/{file.relative_to(folder).as_posix()}", stream, before[0])
                except OSError:
                    if _stamp(file) == before:
                        raise
                    last = file  # it became longer or shorter meanwhile, or went: look once more
                    continue
                self.sizes[file] = before[0]
                last = file
            stamps[file] = before
        return last


def _check_room(plan: Relocation) -> None:
    folder = folder_of(plan.destination)
    if folder is None:
        return  # a bucket says so itself
    place = folder
    while not place.exists():
        place = place.parent
    needed, free = sum(found.bytes for found in plan.moved), shutil.disk_usage(place).free
    if needed > free:
        raise BackupFailed(
            f"There is no room for the files at {folder}.",
            state="Nothing was changed.",
            why=f"{needed / 1e6:,.0f} MB are needed, {free / 1e6:,.0f} MB are free: the old files stay.",
            remedy="Free some space, or name another --artifacts-destination.",
        )


def _is_the_store(store: ArtifactStore, folder: Path, path: str) -> bool | None:
    """Whether what is written into `folder` shows at `path` in the store, by a mount or a link. None: may not write."""
    probe = folder / f".trilho-doctor-{secrets.token_hex(8)}"
    try:
        try:
            probe.write_bytes(b"trilho doctor looks whether this folder is the store of artifacts itself")
        except OSError:
            return None
        with store.reading(f"{path}/{probe.name}") as found:
            return found is not None
    finally:
        with suppress(OSError):
            probe.unlink(missing_ok=True)


def _stamp(file: Path) -> _Stamp | None:
    """None for a file that is gone."""
    try:
        found = file.stat()
    except FileNotFoundError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


@contextmanager
def _told(state: str, remedy: str) -> Iterator[None]:
    """What the system or the store refuses, with what that means here."""
    try:
        yield
    except BackupFailed as error:
        raise BackupFailed(error.what, state=state, why=error.why, remedy=f"{error.remedy}\n{remedy}") from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        why = f"{where}{error.strerror or error}"
        raise BackupFailed("The artifacts could not be copied whole.", state=state, why=why, remedy=remedy) from error
