"""trilho restore: a backup becomes a tracking server's database and artifacts again.

Everything is checked before anything is written. Then artifacts first, the database last: a row never names a file that
is not there. A mark among the artifacts says that a restore is not done; the same command goes on after a kill.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from trilho.errors import BackupFailed
from trilho.platform.backup.archive import MANIFEST, members
from trilho.platform.backup.artifact_store import ArtifactStore
from trilho.platform.backup.database_copy import MEMBERS
from trilho.platform.backup.filling import fill, put_right
from trilho.platform.backup.manifest import Counts, Manifest, from_json, no_backup
from trilho.platform.backup.opening import open_store
from trilho.platform.backup.planning import Plan, occupied, plan_for
from trilho.platform.backup.saving import ARTIFACTS, Saved, back_up
from trilho.platform.backup.tables import rows_of, versions_of
from trilho.platform.backup.unfinished import Unfinished, begin
from trilho.platform.database import age
from trilho.platform.database_address import DatabaseAddress
from trilho.platform.dated import dated
from trilho.platform.migrating import alone
from trilho.platform.service import Say, silent
from trilho.platform.serving_lock import refuse_served

_PIECE = 1 << 20
_TELL_EVERY = 5.0
_LOCK_SECONDS = 30.0
_LEAVING_SECONDS = 5.0  # of a server, or a restore that was killed


@dataclass(frozen=True, kw_only=True)
class Restored:
    """What a restore did. `found` is counted in the target, to be compared with the plan's manifest."""

    plan: Plan
    found: Counts
    changed: int  # artifact locations that were rewritten
    before: Saved | None  # the backup of what was there
    seconds: float


def restore(
    file: Path,
    address: DatabaseAddress,
    destination: str,
    *,
    force: bool = False,
    dry_run: bool = False,
    show: Callable[[Plan], None] = lambda _: None,
    say: Say = silent,
) -> Restored | None:
    """Put the backup `file` into the database at `address` and the artifacts at `destination`; their server is stopped.

    Args:
        address: Of the kind that was backed up; or PostgreSQL or MySQL for a backup of SQLite.
        destination: A folder, or s3://BUCKET/PREFIX.
        force: Also where there is something already. That is backed up first, beside `file`; artifacts that the backup
            does not have stay.
        dry_run: Check all, show the plan, write nothing; the answer is None.
        show: Told the plan before anything is written.

    Raises:
        BackupDamaged: the backup is cut short or altered. Nothing was changed.
        BackupFailed: it does not fit this target, or the target refuses; the message says what state it is in.
        ServiceFailed: a server runs over the database.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="trilho-restore-") as folder:
        say(f"Checking {file}")
        manifest, sha256 = _check(file, Path(folder))
        store = open_store(destination)
        plan = plan_for(file, manifest, sha256, address, store, force=force)
        show(plan)
        if dry_run:
            return None
        if plan.in_the_way and not force:
            raise occupied(plan)
        store.prepare()
        if address.file is not None:
            address.file.parent.mkdir(parents=True, exist_ok=True)
        with alone(address, seconds=_LOCK_SECONDS, say=say):
            refuse_served(address, seconds=_LEAVING_SECONDS, say=say)
            if plan_for(file, manifest, sha256, address, store, force=force) != plan:
                raise _changed(plan)
            before = None
            if plan.in_the_way:
                kept = dated(file.parent, "before-restore", ".tar.zst")
                before = back_up(kept, address, destination, damaged_too=True, say=say)
                say(f"What is there was backed up to {before.file}")
            if plan.filled:  # artifacts are there before it, and its rows may have been put right or not
                changed = put_right(address, manifest)
            else:
                begin(store, Unfinished(backup=file.name, sha256=sha256, replaces=bool(plan.in_the_way)))
                _write_artifacts(file, store, say)
                _settle()
                changed = fill(address, Path(folder) / MEMBERS[manifest.database], manifest, say)
            found = _compare(plan, store)
            store.set_mark("")
    return Restored(plan=plan, found=found, changed=changed, before=before, seconds=time.monotonic() - began)


# ----------------------------------------------------------------------------------------------------------------------


def _check(file: Path, folder: Path) -> tuple[Manifest, str]:
    """Read it whole, keep its database in `folder`; the manifest and its SHA-256."""
    manifest, sums = None, hashlib.sha256()
    artifacts = size = 0
    for member in members(file):
        if member.name == MANIFEST:
            text = member.stream.read()
            sums.update(text)
            manifest = from_json(text, file)
        elif member.name.startswith(ARTIFACTS):
            artifacts += 1
            size += member.size
        elif member.name in MEMBERS.values():
            with (folder / member.name).open("wb") as out:
                shutil.copyfileobj(member.stream, out, _PIECE)
    if manifest is None:
        raise no_backup(file, f"There is no {MANIFEST} in it.")
    if (artifacts, size) != (manifest.counts.artifacts, manifest.counts.bytes):
        raise no_backup(
            file, f"It holds {artifacts} artifacts, and not the {manifest.counts.artifacts} of its manifest."
        )
    if manifest.damaged:
        raise BackupFailed(
            f"{file} keeps a database that was damaged when it was backed up.",
            state="Nothing was changed.",
            remedy=f"Restore an older backup. To look at the damaged files: tar --zstd -xf {file}",
        )
    return manifest, sums.hexdigest()


def _write_artifacts(file: Path, store: ArtifactStore, say: Say) -> None:
    count = size = 0
    said = time.monotonic()
    for member in members(file):
        if member.name.startswith(ARTIFACTS):
            store.write(member.name.removeprefix(ARTIFACTS), member.stream, member.size)
            count += 1
            size += member.size
            if time.monotonic() - said > _TELL_EVERY:
                said = time.monotonic()
                say(f"Artifacts: {count} files, {size / 1e6:.0f} MB")


def _settle() -> None:
    """What was written is on the disk before the rows that name it; a power cut asks no order of a file system."""
    if hasattr(os, "sync"):  # not on Windows
        os.sync()


def _compare(plan: Plan, store: ArtifactStore) -> Counts:
    """What is there now. Raises BackupFailed where it is not what was backed up."""
    manifest, address = plan.manifest, plan.database
    found, artifacts, size = rows_of(address), 0, 0
    for stored in store.files():
        artifacts += 1
        size += stored.size
    wrong = [
        f"{table}: {found.get(table, 0)} rows, {rows} in the backup"
        for table, rows in manifest.rows.items()
        if found.get(table, 0) != rows and not (age(manifest.schema) == "older" and address.kind != manifest.database)
    ]
    if artifacts < manifest.counts.artifacts:
        wrong.append(f"{artifacts} artifacts, {manifest.counts.artifacts} in the backup")
    if wrong:
        raise BackupFailed(
            "What is there now is not what was backed up.",
            state="The restore is not done; do not start a server on it.",
            why="\n".join(wrong),
            remedy="Does another program write to it? Stop that. Then begin anew; what is there is backed up first:\n"
            f"trilho restore {plan.file} --force",
        )
    return Counts(
        experiments=found.get("experiments", 0),
        runs=found.get("runs", 0),
        versions=versions_of(address),
        artifacts=artifacts,
        bytes=size,
    )


def _changed(plan: Plan) -> BackupFailed:
    return BackupFailed(
        f"Somebody wrote to {plan.database.shown} or {plan.artifacts} just now.",
        state="Nothing was changed.",
        remedy="Stop what uses them, then run the same command again.",
    )
