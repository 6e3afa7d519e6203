"""Where a tracking server keeps things: the project's own, or the one that options or the environment name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trilho.cli.options import load_project
from trilho.errors import BackupFailed, ProjectNotFound

if TYPE_CHECKING:
    from trilho.platform.database_address import DatabaseAddress
    from trilho.project import ProjectFile

Database = Annotated[
    str | None,
    typer.Option(
        "--backend-store-uri",
        help="The server's database: sqlite:///mlflow.db, postgresql://…, mysql://…. One with a password belongs into "
        "MLFLOW_BACKEND_STORE_URI instead: command lines can be read by others. Default: the project's own.",
    ),
]
Artifacts = Annotated[
    str | None,
    typer.Option(
        "--artifacts-destination",
        help="The server's artifacts: a folder, or s3://BUCKET/PREFIX. Default: MLFLOW_ARTIFACTS_DESTINATION, or the "
        "project's own.",
    ),
]


@dataclass(frozen=True, kw_only=True)
class Stores:
    """A server's database and artifacts; `state_dir` is the project's where they are its own."""

    database: DatabaseAddress
    artifacts: str
    state_dir: Path | None = None


def stores(
    database: str | None, artifacts: str | None, folder: Path, profile: str | None, overrides: Sequence[str] | None
) -> Stores:
    """What is named, else the project's local ones.

    Raises:
        BackupFailed: only one of the two is named, or the project's server is elsewhere and neither is.
    """
    try:
        project = load_project(folder, profile, list(overrides or ()))
    except ProjectNotFound:
        project = None
        if not (database or os.environ.get("MLFLOW_BACKEND_STORE_URI")):
            raise
    return stores_of(project, database, artifacts)


def stores_of(project: ProjectFile | None, database: str | None, artifacts: str | None) -> Stores:
    """As `stores`, for a project that is loaded already, or for none."""
    from trilho.platform.database_address import parse_database

    database = database or os.environ.get("MLFLOW_BACKEND_STORE_URI")
    artifacts = artifacts or os.environ.get("MLFLOW_ARTIFACTS_DESTINATION")
    if database and artifacts:
        return Stores(database=parse_database(database), artifacts=artifacts)
    if database or artifacts or project is None or project.tracking_uri:
        raise BackupFailed(
            "Which database and which artifacts are meant?",
            why="Both have to be named"
            + (
                f": the tracking server of profile {project.profile} is elsewhere."
                if project and project.tracking_uri
                else "."
            ),
            remedy="Set MLFLOW_BACKEND_STORE_URI and MLFLOW_ARTIFACTS_DESTINATION as for that server.",
        )
    return own_stores(project.state_dir)


def own_stores(state_dir: Path) -> Stores:
    """Those of a project's local server."""
    from trilho.platform.backup.tables import sqlite_file
    from trilho.platform.tracking import data_folder, database_path

    artifacts = data_folder(state_dir) / "artifacts"
    return Stores(database=sqlite_file(database_path(state_dir)), artifacts=str(artifacts), state_dir=state_dir)
