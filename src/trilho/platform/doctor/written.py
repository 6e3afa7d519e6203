"""Addresses and names put right where they are written: `.env` and trilho.yaml, and the `.env` of a compose folder."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from trilho.errors import ServiceFailed
from trilho.platform.doctor.compose_files import container_files
from trilho.platform.doctor.finding import Fix
from trilho.platform.doctor.site import Site, without_user
from trilho.platform.service import Say

_FILES = (".env", "trilho.yaml")
_TRACKING = ("MLFLOW_TRACKING_URI", "tracking_uri")
_SETTING = r"""^([ \t]*(?:export[ \t]+)?{name}[ \t]*[=:][ \t]*["']?){value}(?=["'\s]|$)"""
_HOSTS = re.compile(r"^(MLFLOW_SERVER_ALLOWED_HOSTS=)(.*?)(?=\r?$)", re.MULTILINE)
_PLAIN = re.compile(r"""[^\s"'#]*""")  # a name may go behind it: no quotes, no comment

_Edit = Callable[[str], str]  # a file's text → the one wanted; the same where there is nothing to be changed


def readdressing(site: Site, changes: Mapping[str, tuple[str, str]]) -> Fix | None:
    """Writes another address for each of these settings; None where no file of the project has it with the old one.

    Args:
        changes: The setting's name, as in .env, or tracking_uri → its address as it is written, and the right one. The
            tracking server has two names, MLFLOW_TRACKING_URI in .env and tracking_uri in trilho.yaml.
    """
    edits: list[tuple[Path, _Edit]] = []
    told: list[str] = []
    for file in (site.root / name for name in _FILES):
        text = _read(file)
        for name, (before, after) in changes.items():
            for written in _TRACKING if name in _TRACKING else (name,):
                edit = _setting(written, before, after)
                if edit(text) != text:
                    told.append(f"{written}: {without_user(before)} → {without_user(after)} in {file.name}")
                    edits.append((file, edit))
                    text = edit(text)
    return _rewriting(edits, f"Write {', '.join(told)}.", "Written") if edits else None


def allowing(site: Site, host: str) -> Fix | None:
    """Adds `host` to MLFLOW_SERVER_ALLOWED_HOSTS of the project's compose folder.

    None where that is not there, has the name, or is written in quotes, with a comment or twice.
    """

    def edit(text: str) -> str:
        found = _HOSTS.findall(text)
        if len(found) != 1 or not _PLAIN.fullmatch(found[0][1]) or host in found[0][1].split(","):
            return text
        return _HOSTS.sub(lambda line: f"{line[1]}{line[2]},{host}" if line[2] else f"{line[1]}{host}", text)

    for folder in dict.fromkeys(file.parent for file in container_files(site)):
        file = folder / ".env"
        text = _read(file)
        if edit(text) == text:
            continue
        again = f"then, in {folder}: docker compose up -d mlflow"
        return _rewriting(
            [(file, edit)],
            f"Add {host} to MLFLOW_SERVER_ALLOWED_HOSTS in {file}; {again}",
            f"Written; {again}",
        )
    return None


# ---------------------------------------------------------------------------------------------------------------------


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")  # line ends as they are
    except (OSError, UnicodeError):
        return ""


def _setting(name: str, before: str, after: str) -> _Edit:
    """Writes `after` where the setting `name` is `before`."""
    line = re.compile(_SETTING.format(name=re.escape(name), value=re.escape(before)), re.MULTILINE)
    return lambda text: line.sub(lambda found: found[1] + after, text)


def _rewriting(edits: Sequence[tuple[Path, _Edit]], does: str, done: str) -> Fix:
    """The edits as a fix: of what the files hold when it acts, since another fix may have written to them by then."""

    def act(_: Say) -> str:
        texts: dict[Path, str] = {}
        for file, edit in edits:
            text = texts[file] if file in texts else _read(file)
            texts[file] = edit(text)
            if texts[file] == text:
                raise ServiceFailed(
                    f"{file} was changed meanwhile.",
                    state="This fix wrote nothing.",
                    why=f"What it was to change is not there any more. It was to {does[0].lower()}{does[1:]}",
                    remedy="See what is wrong with it now: trilho doctor --fix",
                )
        for file, text in texts.items():
            _replace(file.resolve(), text)
        return f"{done}: {', '.join(str(file) for file in texts)}"

    return Fix(does=does, act=act)


def _replace(file: Path, text: str) -> None:
    """The file with another text: whole or not at all, its owner the same, and read by nobody who could not before."""
    fresh: Path | None = None
    try:
        number, name = tempfile.mkstemp(prefix=f"{file.name}.", dir=file.parent)  # readable for us alone
        fresh = Path(name)
        with os.fdopen(number, "wb") as out:
            out.write(text.encode("utf-8"))
        owner, ours = file.stat(), fresh.stat()
        if (owner.st_uid, owner.st_gid) != (ours.st_uid, ours.st_gid):  # with sudo, say
            os.chown(fresh, owner.st_uid, owner.st_gid)
        shutil.copymode(file, fresh)
        fresh.replace(file)
    except OSError as error:
        if fresh is not None:
            fresh.unlink(missing_ok=True)
        raise ServiceFailed(
            f"{file} could not be written.",
            state="It is as it was.",
            why=str(error.strerror or error),
            remedy="Change it by hand, or as the user whose file it is.",
        ) from error
