"""The project's own tracking server: MLflow's, over SQLite and a folder in .trilho/, artifacts proxied."""

from __future__ import annotations

import sys
from pathlib import Path

from trilho.platform.service import KnownFailure, Say, Service, silent
from trilho.platform.supervise import ensure

NAME = "tracking"
PREFERRED_PORT = 5000  # the one that MLflow's own documentation shows


def ensure_tracking(state_dir: Path, *, preferred_port: int = PREFERRED_PORT, say: Say = silent) -> str:
    """The address of the project's running tracking server, which is started where none answers.

    One request to a server that runs; it is known by the id it answers with, so that projects on one machine never
    mix. Where `preferred_port` is taken by something else, another free port is used and recorded.

    Args:
        state_dir: The project's .trilho; its database and artifacts are below it.
        preferred_port: The port to try first.
        say: Told in sentences what is going on, when it takes longer than a request.

    Returns:
        "http://127.0.0.1:PORT".

    Raises:
        ServiceFailed: it cannot be started, or does not answer; the message holds the end of its log and the way out.
    """
    return ensure(tracking_service(state_dir, preferred_port=preferred_port), say=say).address


def tracking_service(state_dir: Path, *, preferred_port: int = PREFERRED_PORT) -> Service:
    """What runs: one process, MLflow's own app, told where to keep things by paths relative to its folder.

    (So no character in the project's path can be taken for a part of an address.)
    """
    folder = data_folder(state_dir)
    command = [sys.executable, "-m", "trilho.platform.tracking_process", "--host", "127.0.0.1"]
    command += ["--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "./artifacts"]
    return Service(
        name=NAME,
        state_dir=state_dir,
        command=tuple(command),
        folder=folder,
        port=preferred_port,
        known_failures=_known_failures(database_path(state_dir)),
        prepare=lambda: _prepare(state_dir),
    )


def data_folder(state_dir: Path) -> Path:
    """Everything that MLflow keeps for this project: the folder to back up."""
    return state_dir.resolve() / "mlflow"


def database_path(state_dir: Path) -> Path:
    """The SQLite file of the local tracking server."""
    return data_folder(state_dir) / "mlflow.db"


def _prepare(state_dir: Path) -> None:
    from trilho.platform.backup.unfinished import refuse_unfinished
    from trilho.platform.database import check_database

    artifacts = data_folder(state_dir) / "artifacts"
    artifacts.mkdir(parents=True, exist_ok=True)
    refuse_unfinished(str(artifacts))
    check_database(database_path(state_dir))


def _known_failures(database: Path) -> tuple[KnownFailure, ...]:
    return (
        KnownFailure(
            pattern=r"out-of-date database schema|can't locate revision",
            what="Its database was written by another MLflow than the one installed.",
            remedy=f'Copy {database} first. If it is older: mlflow db upgrade "sqlite:///{database.as_posix()}"\n'
            "If it is newer: pip install --upgrade mlflow",
        ),
        KnownFailure(
            pattern=r"file is not a database|database disk image is malformed",
            what="Its database is damaged.",
            remedy=f"Put back a copy of {database}, or move it away to begin anew.",
        ),
    )
