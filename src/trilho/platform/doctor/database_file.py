"""The SQLite file of a tracking server: can it be written, and is it whole?"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from trilho.platform.doctor.finding import Finding, ok, trouble, unknown
from trilho.platform.doctor.site import Site

PATIENCE_SECONDS = 6.0  # a write of MLflow's takes milliseconds


def database_locked(site: Site) -> Finding | None:
    """`sqlite3.OperationalError: database is locked`: another process holds the file, and does not let go."""
    file = _existing(site)
    if file is None:
        return None
    try:
        with closing(_open(file, seconds=PATIENCE_SECONDS)) as database:
            database.execute("BEGIN IMMEDIATE")  # takes the lock that a write needs, and writes nothing
            database.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        said = str(error)
        if "locked" in said or "busy" in said:
            return trouble(
                f"{file}: {said}, for {PATIENCE_SECONDS:.0f} s.",
                expected="A lock lasts milliseconds.",
                remedy=f"Who holds it: lsof {file} (or fuser).\nEnd what hangs: a shell of sqlite3 in a transaction, "
                "a copy, a second server.\nMany clients at once, or a network drive: use PostgreSQL or MySQL "
                "(trilho deploy compose).",
            )
        return trouble(
            f"{file}: {said}.",
            expected="A file that the server may read and write.",
            remedy=f"Give it, and its folder, to who runs the server: chown USER {file} {file.parent}",
        )
    except sqlite3.DatabaseError:
        return None  # damaged: a check of its own
    return ok(f"{file.name} can be written.")


def database_damaged(site: Site) -> Finding | None:
    """`database disk image is malformed`, `file is not a database`."""
    file = _existing(site)
    if file is None:
        return None
    try:
        with closing(_open(file, seconds=PATIENCE_SECONDS)) as database:
            said = [str(row[0]) for row in database.execute("PRAGMA quick_check(5)")]
    except sqlite3.OperationalError as error:
        if "malformed" not in str(error):
            return unknown(f"{file}: {error}.")
        said = [str(error)]
    except sqlite3.DatabaseError as error:
        said = [str(error)]
    if said == ["ok"]:
        return ok(f"{file.name} is whole.")
    return trouble(
        f"{file}: {' '.join('; '.join(said).split())[:300]}",
        expected="PRAGMA quick_check says ok.",
        remedy="Stop the server first. Put back a backup: trilho restore, or the copy beside the file (.bak).\n"
        f"Without one, save what can be read: sqlite3 {file.name} .recover | sqlite3 saved.db\n"
        f"Or begin anew, keeping it aside: move {file.name} to {file.name}.damaged, and start the server.",
    )


# ---------------------------------------------------------------------------------------------------------------------


def _existing(site: Site) -> Path | None:
    file = site.sqlite_file
    return file if file is not None and file.is_file() else None


def _open(file: Path, *, seconds: float) -> sqlite3.Connection:
    """A connection in which nothing begins a transaction but who says so."""
    return sqlite3.connect(f"{file.resolve().as_uri()}?mode=rw", uri=True, timeout=seconds, isolation_level=None)
