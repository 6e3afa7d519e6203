"""Users and passwords that `trilho login` keeps: in MLflow's own file ~/.mlflow/credentials, a section for each server.

MLflow's client reads the section [mlflow] of that file, and sends it to every server; so do we, where there is no
section for the server that is asked. MLflow leaves the other sections alone.
"""

from __future__ import annotations

import configparser
from io import StringIO
from pathlib import Path

from trilho.errors import InvalidProject
from trilho.private_files import write_private

_USER, _PASSWORD = "mlflow_tracking_username", "mlflow_tracking_password"
_EVERY_SERVER = "mlflow"


def credentials_file() -> Path:
    """Where they are kept, for this account of the machine."""
    return Path.home() / ".mlflow" / "credentials"


def kept_credentials(server: str) -> tuple[str, str]:
    """User and password for the server at `server` (http://HOST:PORT); two empty texts where none are kept.

    Raises:
        InvalidProject: the file is not understood.
    """
    file = credentials_file()
    try:
        if not file.is_file():
            return "", ""
        kept = _read(file)
    except OSError:  # the home folder of somebody else, as in a container: who we are is said by the environment then
        return "", ""
    section = server if kept.has_section(server) else _EVERY_SERVER
    return kept.get(section, _USER, fallback=""), kept.get(section, _PASSWORD, fallback="")


def keep_credentials(server: str, user: str, password: str) -> Path:
    """Remember them for `server`, in a file that only its owner can read.

    Raises:
        InvalidProject: the file is not understood, or the password begins or ends with a space or has several lines.
    """
    if password != password.strip() or any(sign in password + user for sign in "\r\n"):
        raise InvalidProject(
            "A password with spaces at an end, or with several lines, cannot be kept in this file.",
            remedy="Give it by the environment: MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD.",
        )
    kept = _read(credentials_file())
    kept[server] = {_USER: user, _PASSWORD: password}
    return _write(kept)


def forget_credentials(server: str) -> bool:
    """Whether there was something to forget."""
    file = credentials_file()
    if not file.is_file():
        return False
    kept = _read(file)
    if not kept.remove_section(server):
        return False
    _write(kept)
    return True


def _read(file: Path) -> configparser.ConfigParser:
    kept = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        kept.read(file, encoding="utf-8")
    except (configparser.Error, UnicodeError) as error:
        line = getattr(error, "lineno", None) or next((number for number, _ in getattr(error, "errors", [])), "")
        raise InvalidProject(  # the lines themselves hold passwords
            f"{file} is not understood{f' (line {line})' if line else ''}.",
            remedy="Correct it, or move it away and run trilho login again.",
        ) from None
    return kept


def _write(kept: configparser.ConfigParser) -> Path:
    file = credentials_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    text = StringIO()
    kept.write(text)
    write_private(file, text.getvalue())
    return file
