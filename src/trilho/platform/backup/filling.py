"""A backup's database put in place of what is there: whole or not at all, as far as that kind of database can."""

from __future__ import annotations

import os
import shutil
from contextlib import suppress
from pathlib import Path

from trilho.platform.backup.copying import copy_tables
from trilho.platform.backup.dump_tools import load
from trilho.platform.backup.locations import rewrite
from trilho.platform.backup.manifest import Manifest
from trilho.platform.backup.tables import drop_all, sqlite_file
from trilho.platform.database import age
from trilho.platform.database_address import DatabaseAddress
from trilho.platform.migrating import prepare_new
from trilho.platform.service import Say
from trilho.private_files import private_file


def fill(address: DatabaseAddress, source: Path, manifest: Manifest, say: Say) -> int:
    """Fill the database at `address` from `source`, the backup's; how many artifact locations were given new values.

    SQLite: a file made beside its place, then renamed. PostgreSQL: one transaction. MySQL, whose tables are not part of
    transactions: rows in one each.
    """
    say(f"Filling {address.shown}")
    if address.file is not None:
        changed = put_right(sqlite_file(source), manifest)
        _replace(source, address.file)
        return changed
    drop_all(address, manifest.rows)
    if manifest.database == address.kind:
        load(address, source)
        return put_right(address, manifest)
    from trilho.tracking.schema import create_tables, quiet, upgrade_tables

    laptop = sqlite_file(source)
    if age(manifest.schema) == "older":
        say("Bringing the backup's tables up to the installed MLflow")
        with quiet():
            upgrade_tables(laptop.uri)
    changed = put_right(laptop, manifest)
    prepare_new(address, say)
    create_tables(address.uri)
    copy_tables(source, address, say)
    return changed


def put_right(address: DatabaseAddress, manifest: Manifest) -> int:
    """Give locations that lead past the server those behind it; what was left out of the backup keeps its own."""
    stay = {place: place for place in manifest.left_out}
    return rewrite(address, {move.before: move.after for move in manifest.moves} | stay)


# ----------------------------------------------------------------------------------------------------------------------


def _replace(source: Path, file: Path) -> None:
    fresh = file.with_name(f"{file.name}.new")
    with source.open("rb") as read, private_file(fresh) as out:  # it may hold users' passwords, as hashes
        shutil.copyfileobj(read, out)
        out.flush()
        os.fsync(out.fileno())
    with suppress(FileNotFoundError):
        there = file.stat()
        fresh.chmod(there.st_mode & 0o777)
        with suppress(AttributeError, OSError):  # not on Windows; not as another user
            os.chown(fresh, there.st_uid, there.st_gid)
    for ending in ("-wal", "-shm", "-journal"):  # of the database that goes: read with the new one they would damage it
        file.with_name(file.name + ending).unlink(missing_ok=True)
    fresh.replace(file)
    with suppress(OSError):  # folders cannot be opened on Windows
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)  # the new name is on the disk before the mark goes
        finally:
            os.close(folder)
