"""Does a tracking server run over this database? A restore asks before it takes the database from under it.

MySQL and PostgreSQL know who is connected: a server of any make, on any machine. SQLite knows nobody who is not just
writing, so a server of trilho's holds a lock beside the file, under a name of its own, for as long as it lives; the
lock goes with its process. A plain `mlflow server` over SQLite holds none.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from trilho.errors import ServiceFailed
from trilho.platform.database_address import DatabaseAddress
from trilho.platform.service import Say, silent

if TYPE_CHECKING:
    from filelock import BaseFileLock

_PAUSE = 0.5
_CONNECTED: Mapping[str, str] = {
    "mysql": "SELECT CONCAT(user, '@', host) FROM information_schema.processlist "
    "WHERE db = DATABASE() AND id <> CONNECTION_ID() AND command <> 'Daemon'",
    "postgresql": "SELECT CONCAT(usename, '@', COALESCE(host(client_addr), 'localhost'), ' ', application_name) "
    "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
    "AND COALESCE(backend_type, 'client backend') = 'client backend'",
}
_held: list[BaseFileLock] = []  # until the process ends


def serve(address: DatabaseAddress) -> None:
    """Called once by a server, inside `alone`: until this process ends, no restore replaces its database."""
    if address.file is None:
        return  # its connections say it
    from filelock import FileLock

    list(_served(address.file))  # takes away what servers that ended left
    lock = FileLock(_beside(address.file, uuid.uuid4().hex[:12]))
    lock.acquire(timeout=0)
    _held.append(lock)


def refuse_served(address: DatabaseAddress, *, seconds: float, say: Say = silent) -> None:
    """Returns where nobody uses the database; called inside `alone`, whose connection is not counted.

    Args:
        seconds: How long one that is ending is waited for.

    Raises:
        ServiceFailed: somebody does.
    """
    deadline = time.monotonic() + seconds
    told = False
    while users := _users(address):
        if time.monotonic() > deadline:
            raise _in_use(address, users)
        if not told:
            say(f"Somebody uses {address.shown}; waiting for them to leave.")
            told = True
        time.sleep(_PAUSE)


# ----------------------------------------------------------------------------------------------------------------------


def _users(address: DatabaseAddress) -> list[str]:
    if address.file is not None:
        return list(_served(address.file))
    import sqlalchemy

    engine = sqlalchemy.create_engine(address.uri, poolclass=sqlalchemy.pool.NullPool, hide_parameters=True)
    with engine.connect() as connection:
        found = [str(row[0]).strip() for row in connection.execute(sqlalchemy.text(_CONNECTED[address.kind]))]
    return found if len(found) > 1 else []  # one is `alone`'s


def _served(file: Path) -> Iterator[str]:
    """The locks that are held; those of servers that ended are taken away."""
    from filelock import FileLock, Timeout

    first = _beside(file, "")
    for path in sorted(found for found in first.parent.iterdir() if found.name.startswith(first.name)):
        lock = FileLock(path)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            yield path.name
            continue
        lock.release()
        path.unlink(missing_ok=True)


def _beside(file: Path, name: str) -> Path:
    found = file.resolve()  # one and the same for a server that was told a path from its folder
    return found.with_name(f"{found.name}.server-{name}")


def _in_use(address: DatabaseAddress, users: list[str]) -> ServiceFailed:
    who = "A tracking server runs over it."
    if address.file is None:
        who = f"Connected are: {', '.join(users[:5])}{', …' if users[5:] else ''} (one of them is this command)."
    return ServiceFailed(
        f"{address.shown} is in use.",
        state="Nothing was changed.",
        why=f"{who} It would go on with the database that is replaced.",
        remedy="Stop its servers and whatever else is connected (trilho down, docker compose stop mlflow),\n"
        "then run the same command again.",
    )
