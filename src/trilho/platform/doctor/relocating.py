"""What `trilho doctor --fix --yes` does: a copy of the database, the files behind the server, then the rows.

In that order, and the old files last: whenever it is interrupted, each location leads to files that are whole, and the
same command goes on.
"""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
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


@dataclass(frozen=True, kw_only=True)
class Relocated:
    """What was done."""

    backup: Path  # a folder: the database as it was, and moves.json, which location became which
    rows: int
    files: int
    bytes: int


def relocate(plan: Relocation, *, backup_in: Path, say: Say = silent) -> Relocated:
    """Do what `plan` says. The server may run meanwhile; runs that write to old paths in these seconds are taken along.

    Args:
        backup_in: The folder in which the backup gets one of its own.

    Raises:
        BackupFailed: there is no room, or database or store refuses. Rows are changed all at once or not at all.
    """
    store = open_store(plan.destination)
    _check_room(plan)
    backup = dated(backup_in, "before-doctor")
    backup.mkdir(parents=True)
    say(f"Copying the database to {backup}")
    copy_database(plan.database, backup)
    (backup / "moves.json").write_text(json.dumps(dict(plan.locations), indent=2) + "\n", encoding="utf-8")
    store.prepare()
    copied: dict[Path, int] = {}
    _copy(plan, store, copied, say)
    say("Rewriting locations")
    rows = rewrite(plan.database, plan.locations)
    _copy(plan, store, copied, say)  # what came in the meantime; from now on nobody is sent to the old paths
    for file in copied:
        file.unlink(missing_ok=True)
    for folder in plan.folders:
        _remove_empty(folder)
    return Relocated(backup=backup, rows=rows, files=len(copied), bytes=sum(copied.values()))


# ---------------------------------------------------------------------------------------------------------------------


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
            why=f"{needed / 1e6:,.0f} MB are needed, {free / 1e6:,.0f} MB are free: the old files go last.",
            remedy="Free some space, or name another --artifacts-destination.",
        )


def _copy(plan: Relocation, store: ArtifactStore, copied: dict[Path, int], say: Say) -> None:
    for folder, path in plan.folders.items():
        there = _folder_behind(plan, path)
        fresh = [file for file in files_in(folder) if copied.get(file) != file.stat().st_size]
        fresh = [file for file in fresh if not _same(file, there / file.relative_to(folder) if there else None)]
        if fresh:
            say(f"Copying {len(fresh)} files of {path}")
        for file in fresh:
            size = file.stat().st_size
            with file.open("rb") as stream:
                store.write(f"{path}/{file.relative_to(folder).as_posix()}", stream, size)
            copied[file] = size


def _folder_behind(plan: Relocation, path: str) -> Path | None:
    destination = folder_of(plan.destination)
    return None if destination is None else destination / path


def _same(file: Path, target: Path | None) -> bool:
    """Whether both names lead to one file, by links: that one has arrived, and must not be removed."""
    return target is not None and target.exists() and target.samefile(file)


def _remove_empty(folder: Path) -> None:
    """The folder, those in it, and three above it, where they are empty: RUN/artifacts, models/ID/artifacts."""
    below = sorted((place for place in folder.rglob("*") if place.is_dir()), reverse=True)
    with suppress(OSError):  # not empty
        for place in (*below, folder, *list(folder.parents)[:3]):
            place.rmdir()
