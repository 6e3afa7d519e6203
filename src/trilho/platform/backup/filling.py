"""A backup's database put in place of what is there: whole or not at all, as far as that kind of database can."""

from __future__ import annotations

import shutil
from pathlib import Path

from trilho.platform.backup.copying import copy_tables
from trilho.platform.backup.dump_tools import load
from trilho.platform.backup.locations import rewrite
from trilho.platform.backup.manifest import Manifest
from trilho.platform.backup.schema import age
from trilho.platform.backup.tables import drop_all, sqlite_file
from trilho.platform.database_address import DatabaseAddress
from trilho.platform.migrating import prepare_new
from trilho.platform.service import Say


def fill(address: DatabaseAddress, source: Path, manifest: Manifest, say: Say) -> int:
    """Fill the database at `address` from `source`, the backup's; how many artifact locations were given new values.

    SQLite: a file made beside its place, then renamed. PostgreSQL: one transaction. MySQL, whose tables are not part of
    transactions: rows in one each.
    """
    moves = {move.before: move.after for move in manifest.moves}
    say(f"Filling {address.shown}")
    if address.file is not None:
        return _replace(source, address.file, moves)
    drop_all(address)
    if manifest.database == address.kind:
        load(address, source)
        return rewrite(address, moves)
    from trilho.tracking.schema import create_tables, upgrade_tables

    laptop = sqlite_file(source)
    if age(manifest.schema) == "older":
        say("Bringing the backup's tables up to the installed MLflow")
        upgrade_tables(laptop.uri)
    changed = rewrite(laptop, moves)
    prepare_new(address, say)
    create_tables(address.uri)
    copy_tables(source, address, say)
    return changed


# ----------------------------------------------------------------------------------------------------------------------


def _replace(source: Path, file: Path, moves: dict[str, str]) -> int:
    fresh = file.with_name(f"{file.name}.new")
    shutil.copyfile(source, fresh)
    changed = rewrite(sqlite_file(fresh), moves)
    for ending in ("-wal", "-shm"):  # of the database that goes: read with the new one they would damage it
        file.with_name(file.name + ending).unlink(missing_ok=True)
    fresh.replace(file)
    return changed
