"""Users of the tracking server (MLflow's own basic-auth application): what it has to be told, and the first password.

MLflow's environment names are kept: MLFLOW_AUTH_ADMIN_USERNAME, MLFLOW_AUTH_ADMIN_PASSWORD, MLFLOW_AUTH_CONFIG_PATH,
MLFLOW_FLASK_SERVER_SECRET_KEY. What is not set gets a value here.
"""

from __future__ import annotations

import configparser
import os
import secrets
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from trilho.errors import ServiceFailed
from trilho.importer import load_module
from trilho.platform.database_address import DatabaseAddress
from trilho.platform.service import Say, silent
from trilho.private_files import write_private

ADMIN, PASSWORD = "MLFLOW_AUTH_ADMIN_USERNAME", "MLFLOW_AUTH_ADMIN_PASSWORD"
CONFIG, CSRF_KEY = "MLFLOW_AUTH_CONFIG_PATH", "MLFLOW_FLASK_SERVER_SECRET_KEY"
PASSWORD_FILE = "mlflow-admin-password"
READER, READER_PASSWORD = "trilho-reader", "TRILHO_READER_PASSWORD"

# Comparing a password costs tens of milliseconds by design, at each request. A changed password is refused by other
# replicas after this many seconds, and at once by the one that changed it.
_REMEMBERED_SECONDS = 60
_SHORTEST = 12  # characters; MLflow's own rule for the first password


@contextmanager
def told_to_mlflow(address: DatabaseAddress, folder: Path, *, say: Say = silent) -> Iterator[None]:
    """While inside, MLflow's basic-auth application can be imported and made; it reads its settings then, only once.

    Its users are in the same database as the runs, so that all replicas have the same. Where the database has no
    administrator yet, one is made with MLFLOW_AUTH_ADMIN_PASSWORD, or with a random password that is written to a file
    in `folder` that only its owner can read.

    Raises:
        ServiceFailed: the password cannot be kept, or is too short.
        MissingExtra: Flask-WTF is not installed.
    """
    load_module("flask_wtf")
    added = {CSRF_KEY: secrets.token_hex(32), ADMIN: "admin"}
    added = {name: value for name, value in added.items() if not os.environ.get(name)}
    name = os.environ.get(ADMIN) or "admin"
    given = os.environ.get(PASSWORD, "")
    if not os.environ.get(CONFIG) and not has_user(address, name):
        if given and len(given) < _SHORTEST:
            raise ServiceFailed(
                f"{PASSWORD} is too short for the first administrator.",
                state="No user was made.",
                why=f"It has {len(given)} characters; at least {_SHORTEST} are required.",
                remedy=f"Set a longer one, or leave {PASSWORD} out: a random one is then made and kept in a file.",
            )
        if not given:
            added[PASSWORD] = _kept_password(folder / PASSWORD_FILE, name, say)
    with tempfile.TemporaryDirectory(prefix="trilho-") as private:  # mode 700: the file names the database's password
        if not os.environ.get(CONFIG):
            settings = Path(private) / "basic_auth.ini"
            settings.touch(mode=0o600)
            _write_settings(settings, address.uri)
            added[CONFIG] = str(settings)
        os.environ.update(added)
        try:
            yield
        finally:
            for name in {CONFIG, PASSWORD} & added.keys():
                os.environ.pop(name, None)


def make_reader(users: Any) -> None:
    """Give the user "trilho-reader" the password TRILHO_READER_PASSWORD, where that is set.

    By MLflow's default permission it reads what anybody made, and changes none of it: a model server, which strangers
    reach, needs no more. The environment is right: another password in the database is replaced.

    Args:
        users: MLflow's own store of them, whose tables are there.
    """
    password = os.environ.get(READER_PASSWORD, "")
    if not password:
        return
    if not users.has_user(READER):
        try:
            users.create_user(READER, password)
        except Exception:
            if not users.has_user(READER):  # else: another replica was first
                raise
    if not users.authenticate_user(READER, password):
        users.update_user(READER, password=password)


def has_user(address: DatabaseAddress, name: str) -> bool:
    """Whether MLflow's table of users is there and holds `name`."""
    import sqlalchemy

    engine = sqlalchemy.create_engine(address.uri, poolclass=sqlalchemy.pool.NullPool)
    with engine.connect() as connection:
        if not sqlalchemy.inspect(connection).has_table("users"):
            return False
        query = sqlalchemy.text("SELECT 1 FROM users WHERE username = :name")
        return connection.execute(query, {"name": name}).first() is not None


def secrets_in(environment: Mapping[str, str] = os.environ) -> set[str]:
    """The values of the environment that no log may hold."""
    marks = ("PASSWORD", "SECRET", "TOKEN")
    return {value for name, value in environment.items() if value and any(mark in name.upper() for mark in marks)}


def _kept_password(file: Path, user: str, say: Say) -> str:
    password = secrets.token_urlsafe(24)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # of a database that is no more: its user is not in this one
            file.replace(file.with_name(file.name + ".old"))
        write_private(file, password + "\n")
    except OSError as error:
        raise ServiceFailed(
            "The first administrator's password cannot be kept.",
            state="No user was made.",
            why=f"{file}: {error.strerror or error}",
            remedy=f"Make {file.parent} a folder that may be written to, name another with --auth-folder, or set "
            f"{PASSWORD}.",
        ) from error
    say(f"Made the administrator '{user}'. The password is in {file.resolve()}, which only you can read.")
    return password


def _write_settings(file: Path, uri: str) -> None:
    settings = configparser.ConfigParser(interpolation=None)
    settings["mlflow"] = {
        "default_permission": "READ",
        "database_uri": uri.replace("%", "%%"),  # MLflow reads it with interpolation
        "auth_cache_ttl_seconds": str(_REMEMBERED_SECONDS),
    }
    with file.open("w", encoding="utf-8") as out:
        settings.write(out)
