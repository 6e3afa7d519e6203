"""Real MariaDB and PostgreSQL on free loopback ports, in temporary folders, stopped by their own process ids.

Fixtures of the session, so each test process has its own. A server that is not installed is a skip that says how.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import free_port

PASSWORD = f"pa%s:/@ {secrets.token_hex(6)}"  # of the kind that breaks an address it is pasted into
USER = "team"
_DRIVERS = {"mysql": "mysql+pymysql", "postgres": "postgresql+psycopg2"}


@dataclass
class Database:
    """A database server: start it, kill it, start it again on the same port with the same files."""

    kind: str  # mysql | postgres: also the account of the system that it runs as
    port: int
    folder: Path
    command: list[str]
    process: subprocess.Popen[bytes] | None = None

    def uri(self, name: str, *, password: str = PASSWORD, host: str = "127.0.0.1", port: int = 0) -> str:
        from sqlalchemy.engine import URL

        url = URL.create(_DRIVERS[self.kind], USER, password, host, port or self.port, name)
        return url.render_as_string(hide_password=False)

    def fresh(self) -> str:
        """The address of a new, empty database on it."""
        name = f"trilho_{secrets.token_hex(5)}"
        self.ask(f"CREATE DATABASE {name}")
        return self.uri(name)

    def ask(self, statement: str, uri: str = "") -> list[tuple[Any, ...]]:
        """The rows that one statement gives, in the database at `uri`."""
        import sqlalchemy

        uri = uri or self.uri("postgres" if self.kind == "postgres" else "mysql")
        engine = sqlalchemy.create_engine(uri, poolclass=sqlalchemy.pool.NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            found = connection.execute(sqlalchemy.text(statement))
            return [tuple(row) for row in found] if found.returns_rows else []

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            account = account_of(self.kind)
            self.process = subprocess.Popen(
                self.command, cwd="/", stdout=log, stderr=log, user=account, group=account, start_new_session=True
            )
        wait_until(lambda: self.ask("SELECT 1"), self.process, self.folder / "log")

    def kill(self) -> None:
        """As a power cut does it."""
        if self.process is not None:
            if self.kind == "postgres":  # SIGKILL would leave its children behind
                self.process.send_signal(signal.SIGQUIT)
            else:
                self.process.kill()
            self.process.wait(300)
            self.process = None


@pytest.fixture(scope="session")
def mariadb() -> Iterator[Database]:
    with mariadb_server() as found:
        yield found


@pytest.fixture(scope="session")
def postgres() -> Iterator[Database]:
    with postgres_server() as found:
        yield found


@contextmanager
def mariadb_server() -> Iterator[Database]:
    """A running MariaDB server, which speaks MySQL."""
    server, install = shutil.which("mariadbd"), shutil.which("mysql_install_db") or shutil.which("mariadb-install-db")
    if not server or not install:
        pytest.skip("no MariaDB here: apt-get install mariadb-server")
    pytest.importorskip("pymysql", reason="no driver for MySQL here: pip install pymysql")
    with folder_of("mysql") as folder:
        data = folder / "data"
        owner = ["--user=mysql"] if account_of("mysql") else []
        command = [install, "--no-defaults", *owner, f"--datadir={data}"]
        subprocess.run(
            [*command, "--auth-root-authentication-method=normal", "--skip-test-db"], check=True, capture_output=True
        )
        accounts = folder / "accounts.sql"
        accounts.write_text(
            f"CREATE OR REPLACE USER {USER}@'%' IDENTIFIED BY '{PASSWORD}';\nGRANT ALL ON *.* TO {USER}@'%';\n",
            encoding="utf-8",
        )
        port = free_port()
        command = [server, "--no-defaults", f"--datadir={data}", f"--socket={folder / 's'}", f"--port={port}"]
        command += [f"--pid-file={folder / 'pid'}", "--bind-address=127.0.0.1", f"--init-file={accounts}"]
        yield from running(Database("mysql", port, folder, command))


@contextmanager
def postgres_server() -> Iterator[Database]:
    """A running PostgreSQL server."""
    place = next((found for found in _postgres_places() if (found / "initdb").exists()), None)
    if place is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql")
    pytest.importorskip("psycopg2", reason="no driver for PostgreSQL here: pip install psycopg2-binary")
    with folder_of("postgres") as folder:
        data, word = folder / "data", folder / "password"
        word.write_text(PASSWORD, encoding="utf-8")
        account = account_of("postgres")
        subprocess.run(
            [place / "initdb", "-D", data, "-A", "scram-sha-256", "-U", USER, f"--pwfile={word}"],
            check=True,
            capture_output=True,
            cwd="/",
            user=account,
            group=account,
        )
        port = free_port()
        command = [str(place / "postgres"), "-D", str(data), "-p", str(port), "-k", str(folder)]
        yield from running(Database("postgres", port, folder, [*command, "-c", "listen_addresses=127.0.0.1"]))


def running(part: Any) -> Iterator[Any]:
    """`part`, started, for a fixture to yield; killed in the end."""
    try:
        part.start()
        yield part
    finally:
        part.kill()


@contextmanager
def folder_of(account: str) -> Iterator[Path]:
    """A folder that the system's account `account` may use; its path is short, as sockets want it."""
    folder = Path(tempfile.mkdtemp(prefix=f"trilho-{account}-"))
    try:
        if account_of(account):
            shutil.chown(folder, account, account)
            folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def account_of(name: str) -> str | None:
    """Database servers refuse to run as root: then they get the account that their package made."""
    return name if hasattr(os, "geteuid") and os.geteuid() == 0 else None


def wait_until(ready: Callable[[], object], process: subprocess.Popen[bytes], log: Path, seconds: float = 120) -> None:
    """Returns once `ready` no longer raises; the end of the log is the error where that does not come."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            ready()
            return
        except Exception as error:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"it did not start\n{log.read_text(errors='replace')[-3000:]}") from error
            time.sleep(0.1)


def _postgres_places() -> Iterator[Path]:
    """On the path, or where Debian keeps several versions side by side."""
    if found := shutil.which("initdb"):
        yield Path(found).parent
    yield from sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
