"""What a team's server is made of: which database, which store, whose model."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from trilho.data.source import parse
from trilho.errors import InvalidProject, UnknownName
from trilho.project.names import did_you_mean

if TYPE_CHECKING:
    from trilho.project import ProjectFile

DATABASES = ("mysql", "postgres", "sqlite")
ARTIFACTS = ("s3", "folder")
WORKSPACE = "/workspace"  # where the image for training has the project
_BUCKET = "mlflow"
_NAME = re.compile(r"[a-z0-9_.*-]+|[0-9a-f:.]+")


@dataclass(frozen=True, kw_only=True)
class ComposePlan:
    """What goes into the files.

    Args:
        database: mysql, postgres or sqlite.
        artifacts: s3: a store of its own; folder: a volume; s3://BUCKET/PREFIX: a bucket that is there already.
        hosts: Names that other machines call it by; an address (http://NAME:5000) stands for its name. With any, its
            ports are open and guarded; else for this machine.
        project: Whose champion is served, watched, and trained in a container; None: the tracking server alone.
    """

    database: str = "mysql"
    artifacts: str = "s3"
    hosts: Sequence[str] = ()
    project: ProjectFile | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "hosts", tuple(map(_name, self.hosts)))
        _one_of("--database", self.database, DATABASES)
        if not self.artifacts.startswith("s3://"):
            _one_of("--artifacts", self.artifacts, ARTIFACTS)
        elif not self.bucket:
            raise InvalidProject(
                f"'{self.artifacts}' names no bucket.", remedy="Write it as s3://BUCKET or s3://BUCKET/PREFIX."
            )

    @property
    def own_store(self) -> bool:
        """Does a store of its own hold the artifacts?"""
        return self.artifacts == "s3"

    @property
    def bucket(self) -> str:
        return _BUCKET if self.own_store else urlsplit(self.artifacts).netloc

    @property
    def prefix(self) -> str:
        return urlsplit(self.artifacts).path.strip("/") if "/" in self.artifacts else ""

    def values(self, folder: Path) -> dict[str, object]:
        """What the templates ask for, when they are written into `folder`."""
        root = self.project.root.resolve() if self.project else None
        return {
            "database": self.database,
            "artifacts": self.artifacts,
            "store": self.own_store,
            "bucket": self.bucket,
            "prefix": self.prefix,
            "keeps": self.database == "sqlite" or self.artifacts == "folder",
            "guarded": bool(self.hosts),
            "publish": "0.0.0.0" if self.hosts else "127.0.0.1",
            "allowed_hosts": ",".join(self.hosts),
            "hosts": list(self.hosts),
            "reached": next((_in_address(name) for name in self.hosts if "*" not in name), "localhost"),
            "data": _outside(self.project, folder.resolve()) if self.project else None,
            "model": self.project.register.name if self.project else "",
            "project_folder": _from(folder.resolve(), root) if root else "",
            "project_user": _owner(root) if root else "",
        }


# ----------------------------------------------------------------------------------------------------------------------


def _one_of(flag: str, given: str, allowed: Sequence[str]) -> None:
    if given not in allowed:
        raise UnknownName(
            f"{flag} {given} is not known.{did_you_mean(given, allowed)}",
            remedy=f"Choose one of: {', '.join(allowed)}" + (", s3://BUCKET/PREFIX." if "s3" in allowed else "."),
        )


def _name(given: str) -> str:
    """The name of a machine as MLflow compares it: without scheme, port and path, which a browser's address has."""
    try:
        found = urlsplit(given if "://" in given else f"//{given}").hostname
    except ValueError:
        found = None
    if not found or not _NAME.fullmatch(found):
        raise InvalidProject(
            f"--host {given!r} is no name of a machine.",
            state="Nothing was written.",
            remedy="Write each name by itself: --host mlflow.example.org --host 10.1.2.3",
        )
    return found


def _in_address(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _outside(project: ProjectFile, folder: Path) -> dict[str, str] | None:
    """Where the project's data is, from `folder` and in the container, if its own folder does not hold it."""
    try:
        reader = parse(project.data.source, project.root).reader
    except UnknownName:  # trilho run says so
        return None
    if reader not in ("csv", "parquet", "files"):
        return None
    given, root = Path(project.data.source), project.root.resolve()
    while any(sign in part for part in given.parts for sign in "*?["):  # of a pattern, the folder
        given = given.parent
    if not given.is_absolute() and Path(os.path.normpath(root / given)).is_relative_to(root):
        return None
    there = PurePosixPath(posixpath.normpath(posixpath.join(WORKSPACE, given.as_posix())))
    if len(there.parts) == 1 or given.drive:
        raise InvalidProject(
            f"data.source: {project.data.source} cannot be shown to a container at the same path.",
            state="Nothing was written.",
            remedy="Put the data into the project's folder, or into a folder beside it, and correct data.source.",
        )
    return {"here": _literal(_from(folder, root / given)), "there": _literal(str(there))}


def _literal(text: str) -> str:
    """As compose.yml has it: a $ begins a variable there."""
    return text.replace("$", "$$")


def _from(folder: Path, root: Path) -> str:
    """`root` as seen from `folder`, in the form that compose takes for a path: it begins with a dot or a slash."""
    try:
        seen = Path(os.path.relpath(root, folder)).as_posix()
    except ValueError:  # another drive
        return root.as_posix()
    return seen if seen.startswith(".") else f"./{seen}"


def _owner(root: Path) -> str:
    """Who the project's files belong to: what a container writes into it then belongs to the same."""
    found = root.stat()
    return f"{found.st_uid}:{found.st_gid}" if os.name == "posix" else "1000:1000"
