"""pg_dump and mysqldump, psql and mysql: found on the PATH, given the password in a file that only we can read.

Nothing secret is on a command line, which every user of the machine can read (`ps`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from trilho.errors import BackupFailed
from trilho.platform.backup.dump_rows import Counter, Dumped
from trilho.platform.database_address import DatabaseAddress, Kind
from trilho.private_files import private_file

_NAMES: Mapping[tuple[Kind, str], tuple[str, ...]] = {
    ("postgresql", "dump"): ("pg_dump",),
    ("postgresql", "load"): ("psql",),
    ("mysql", "dump"): ("mysqldump", "mariadb-dump"),
    ("mysql", "load"): ("mysql", "mariadb"),
}
_PACKAGES = {
    "postgresql": "apt-get install postgresql-client   (macOS: brew install libpq)",
    "mysql": "apt-get install default-mysql-client   (macOS: brew install mysql-client)",
}
_DUMP_OPTIONS = {
    "postgresql": ("--no-owner", "--no-privileges", "--no-tablespaces", "--no-comments"),
    # One row a line, so that rows can be counted; "loose": one of the two makers' tools knows it, the other does not.
    "mysql": (
        "--single-transaction",
        "--quick",
        "--skip-lock-tables",
        "--skip-add-locks",
        "--no-autocommit",
        "--skip-extended-insert",
        "--no-tablespaces",
        "--hex-blob",
        "--default-character-set=utf8mb4",
        "--loose-set-gtid-purged=OFF",
        "--loose-column-statistics=0",
    ),
}
_LOAD_OPTIONS = {
    "postgresql": ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", "--output", os.devnull),
    "mysql": ("--default-character-set=utf8mb4",),
}
# What SQLAlchemy is told in an address → what the tools are told.
_POSTGRES_NAMES = {
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "connect_timeout": "PGCONNECT_TIMEOUT",
    "options": "PGOPTIONS",
}
# A function of triggers outlives the tables that used it, and pg_dump cannot say "or replace" itself.
_FUNCTION, _REPLACED = b"CREATE FUNCTION ", b"CREATE OR REPLACE FUNCTION "
_MYSQL_NAMES = {"ssl_ca": "ssl-ca", "ssl_cert": "ssl-cert", "ssl_key": "ssl-key", "unix_socket": "socket"}


@dataclass(frozen=True, kw_only=True)
class _Told:
    """What a tool is started with so that it reaches the database."""

    first: tuple[str, ...]
    environment: Mapping[str, str]


def tool(kind: Kind, work: str) -> str:
    """The program that does `work` ("dump" or "load"). Raises BackupFailed with the line that installs it."""
    names = _NAMES[kind, work]
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise BackupFailed(
            f"{names[0]} is not installed on this machine.",
            state="Nothing was changed.",
            why=f"{'Copies of' if work == 'dump' else 'Backups of'} {kind} are made and read by its own tools.",
            remedy=f"{_PACKAGES[kind]}\nIts version must not be older than the server's. Or run this command where it"
            " is, such as in the\ndatabase's own container.",
        )
    return found


def dump(address: DatabaseAddress, target: Path) -> Dumped:
    """Write the database at `address`, as of one instant, into `target` as SQL. Raises BackupFailed."""
    program = tool(address.kind, "dump")
    counter = Counter(address.kind)
    with _told(address) as told, tempfile.TemporaryFile() as complaints:
        command = [program, *told.first, *_DUMP_OPTIONS[address.kind], address.database]
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, env=dict(told.environment)
        )
        try:
            assert process.stdout is not None
            with private_file(target) as out:
                for line in process.stdout:
                    counter.take(line)
                    if line.startswith(_FUNCTION) and not counter.in_rows:
                        line = _REPLACED + line.removeprefix(_FUNCTION)
                    out.write(line)
            if process.wait():
                complaints.seek(0)
                raise _refused(address, program, complaints.read(), "Nothing was written.")
        finally:
            process.kill()
            process.wait()
            process.stdout.close()  # type: ignore[union-attr]
    return counter.result()


def load(address: DatabaseAddress, source: Path) -> None:
    """Run the SQL in `source` in the database at `address`. Raises BackupFailed."""
    program = tool(address.kind, "load")
    with _told(address) as told, source.open("rb") as sql:
        command = [program, *told.first, *_LOAD_OPTIONS[address.kind], address.database]
        done = subprocess.run(
            command,
            stdin=sql,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=dict(told.environment),
            check=False,
        )
    if done.returncode:
        raise _refused(address, program, done.stderr, "The restore is not done: start no server on it.")


# ----------------------------------------------------------------------------------------------------------------------


@contextmanager
def _told(address: DatabaseAddress) -> Iterator[_Told]:
    from sqlalchemy.engine import make_url

    query = {name: value for name, value in make_url(address.uri).query.items() if isinstance(value, str)}
    handle, name = tempfile.mkstemp(prefix="trilho-")  # readable by us alone
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as secret:
            if address.kind == "mysql":
                secret.write(_option_file(address, query))
                told = _Told(first=(f"--defaults-extra-file={name}",), environment=os.environ)
            else:
                word = address.password.replace("\\", "\\\\").replace(":", "\\:")
                secret.write(f"*:*:*:*:{word}\n")
                given = {
                    "PGPASSFILE": name,
                    "PGHOST": address.host,
                    "PGPORT": str(address.port),
                    "PGUSER": address.user,
                }
                given |= {_POSTGRES_NAMES[key]: value for key, value in query.items() if key in _POSTGRES_NAMES}
                told = _Told(first=("--no-password",), environment={**os.environ, **given})
        yield told
    finally:
        Path(name).unlink(missing_ok=True)


def _option_file(address: DatabaseAddress, query: Mapping[str, str]) -> str:
    values = {"host": address.host, "port": str(address.port), "user": address.user, "password": address.password}
    for ending in ("ca", "cert", "key"):  # MLflow's own names for its connection
        if given := os.environ.get(f"MLFLOW_MYSQL_SSL_{ending.upper()}"):
            values[f"ssl-{ending}"] = given
    values |= {_MYSQL_NAMES[key]: value for key, value in query.items() if key in _MYSQL_NAMES}
    return "[client]\n" + "".join(f'{name}="{_escaped(value)}"\n' for name, value in values.items())


def _escaped(value: str) -> str:
    """As option files want it: a quotation mark inside would end the value, and what is after a # would be lost."""
    for character, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t")):
        value = value.replace(character, written)
    return value


def _refused(address: DatabaseAddress, program: str, said: bytes, state: str) -> BackupFailed:
    text = said.decode("utf-8", "replace")
    text = " ".join((text.replace(address.password, "***") if address.password else text).split())[-600:]
    name = Path(program).name
    remedy = "Correct what it complains about, then run the command again."
    if "version mismatch" in text or "unrecognized configuration parameter" in text:
        remedy = f"Install the {name} of the server's version: {_PACKAGES[address.kind]}"
    elif "ccess denied" in text or "permission denied" in text:
        remedy = f"Let '{address.user}' read and write all tables of {address.shown}."
    return BackupFailed(f"{name} failed on {address.shown}.", state=state, why=text, remedy=remedy)
