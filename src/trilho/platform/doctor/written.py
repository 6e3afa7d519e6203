"""Addresses and names put right where they are written: `.env` and trilho.yaml, and the `.env` of a compose folder."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from trilho.errors import ServiceFailed
from trilho.platform.doctor.compose_files import container_files
from trilho.platform.doctor.finding import Fix
from trilho.platform.doctor.site import Site, without_user
from trilho.platform.service import Say

_FILES = (".env", "trilho.yaml")
_HOSTS = re.compile(r"^(MLFLOW_SERVER_ALLOWED_HOSTS=)(.*?)\s*$", re.MULTILINE)


def readdressing(site: Site, changes: Mapping[str, str]) -> Fix | None:
    """Writes the second address of each pair where the first is written; None where no file of the project does.

    Comments are left alone, and so is an address that only begins alike.
    """
    texts: dict[Path, str] = {}
    told: list[str] = []
    for file in (site.root / name for name in _FILES):
        text = fresh = _read(file)
        for before, after in changes.items():
            whole = re.compile(rf"^(?!\s*#)(.*){re.escape(before)}(?![\w.:-])", re.MULTILINE)
            changed = whole.sub(lambda found, after=after: found[1] + after, fresh)  # type: ignore[misc]
            if changed != fresh:
                told.append(f"{without_user(before)} → {without_user(after)} in {file.name}")
                fresh = changed
        if fresh != text:
            texts[file] = fresh
    return _rewriting(texts, f"Write {', '.join(told)}.", "Written") if texts else None


def allowing(site: Site, host: str) -> Fix | None:
    """Adds `host` to MLFLOW_SERVER_ALLOWED_HOSTS of the project's compose folder; None where there is no such one."""
    for folder in dict.fromkeys(file.parent for file in container_files(site)):
        text = _read(folder / ".env")
        found = _HOSTS.search(text)
        if found is None or host in found[2].split(","):
            continue
        fresh = _HOSTS.sub(lambda line: f"{line[1]}{line[2]},{host}" if line[2] else f"{line[1]}{host}", text)
        again = f"then, in {folder}: docker compose up -d mlflow"
        return _rewriting(
            {folder / ".env": fresh},
            f"Add {host} to MLFLOW_SERVER_ALLOWED_HOSTS in {folder / '.env'}; {again}",
            f"Written; {again}",
        )
    return None


# ---------------------------------------------------------------------------------------------------------------------


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")  # line ends as they are
    except (OSError, UnicodeError):
        return ""


def _rewriting(texts: Mapping[Path, str], does: str, done: str) -> Fix:
    def act(_: Say) -> str:
        for file, text in texts.items():
            _replace(file.resolve(), text)
        return f"{done}: {', '.join(str(file) for file in texts)}"

    return Fix(does=does, act=act)


def _replace(file: Path, text: str) -> None:
    """The file with another text: whole or not at all, and readable for nobody who could not read it before."""
    fresh = file.with_name(file.name + ".new")
    try:
        fresh.touch(mode=0o600)
        shutil.copymode(file, fresh)
        fresh.write_bytes(text.encode("utf-8"))
        fresh.replace(file)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise ServiceFailed(
            f"{file} could not be written.",
            state="It is as it was.",
            why=str(error.strerror or error),
            remedy="Change it by hand, or make it writable.",
        ) from error
