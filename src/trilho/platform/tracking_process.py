"""MLflow's own tracking server in one process: `python -m trilho.platform.tracking_process --help`.

`mlflow server` starts fifteen processes and loses TCP_NODELAY on the way (each answer then waits 40 ms); this runs the
very same app, page and all, in one. Only this file of platform imports mlflow. It patches nothing: it says by the
environment what `mlflow server` says to its own workers.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import signal
import socket
import sqlite3
import sys
import threading
import uuid
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from trilho.platform.database import check_database
from trilho.platform.record import read_record
from trilho.platform.service import ID_HEADER
from trilho.platform.tracking_metrics import Counted

if TYPE_CHECKING:
    import uvicorn

LOCAL_HOSTS = "localhost,localhost:*,127.0.0.1,127.0.0.1:*"

_LOOK_EVERY = 2.0
_BACKLOG = 2048  # uvicorn's own
_GRACE_SECONDS = 3  # for requests in flight when it is asked to end
_ARTIFACT_ROOT = "mlflow-artifacts:/"  # no client ever sees a path of the server


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the server as its command line says."""
    parser = argparse.ArgumentParser(prog="python -m trilho.platform.tracking_process", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument(
        "--backend-store-uri", required=True, help="sqlite:///mlflow.db, postgresql://…, mysql+pymysql://…"
    )
    parser.add_argument("--artifacts-destination", required=True, help="a folder, or s3://BUCKET/PREFIX")
    parser.add_argument(
        "--allowed-hosts", default=LOCAL_HOSTS, help="names clients may call it by, with :* for any port"
    )
    parser.add_argument("--id", default="", help="sent with each answer; given by trilho up")
    parser.add_argument("--record", type=Path, help="ends when this file no longer names --id; given by trilho up")
    given = parser.parse_args(arguments)
    run_server(
        host=given.host,
        port=given.port,
        backend_store_uri=given.backend_store_uri,
        artifacts_destination=given.artifacts_destination,
        allowed_hosts=given.allowed_hosts,
        service_id=given.id,
        record=given.record,
    )


def run_server(
    *,
    host: str,
    port: int,
    backend_store_uri: str,
    artifacts_destination: str,
    allowed_hosts: str = LOCAL_HOSTS,
    service_id: str = "",
    record: Path | None = None,
) -> None:
    """Serve until asked to end. Exits with 1, after one line on stderr, where it cannot listen.

    Raises:
        ServiceFailed: the SQLite file at `backend_store_uri` is damaged, or belongs to another MLflow.
    """
    try:
        listener = _bind(host, port)  # before the seconds that importing MLflow takes
    except OSError as error:
        sys.exit(f"cannot listen on {host}:{port}: {error}")
    os.environ.update(_settings(backend_store_uri, artifacts_destination, allowed_hosts))
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("uvicorn").setLevel(logging.INFO)

    import uvicorn  # before mlflow: it takes its presence as the sign that it runs as a server

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow imports a deprecated part of starlette, which nobody here can change
        from mlflow.server import app as routes
        from mlflow.server.fastapi_app import app
    from mlflow.server.handlers import initialize_backend_stores

    database = _sqlite_file(backend_store_uri)
    if database is not None:
        check_database(database)
        _create_database(database)
        # The page's reads and a training's writes then do not wait for each other. The file remembers it; on a network
        # drive that cannot, it stays as it is.
        _pragma(database, "journal_mode=WAL")
    initialize_backend_stores(backend_store_uri, backend_store_uri, _ARTIFACT_ROOT)
    config = uvicorn.Config(
        Counted(app, [rule.rule for rule in routes.url_map.iter_rules()]),
        log_config=None,
        access_log=False,
        ws="none",
        headers=[(ID_HEADER, service_id)] if service_id else None,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    if record is not None:
        threading.Thread(target=_leave_when_forgotten, args=(server, record, service_id), daemon=True).start()
    try:
        listener.listen(_BACKLOG)
    except OSError as error:  # another one bound the port in the same seconds: two may, until one of them listens
        sys.exit(f"cannot listen on {host}:{port}: {error}")
    logging.getLogger("uvicorn").info("MLflow's tracking server starts at http://%s:%d", host, port)
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit()
    )  # uvicorn raises it again after its orderly end: not deadly then
    try:
        server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        if database is not None:
            _pragma(database, "wal_checkpoint(TRUNCATE)")  # the one file then holds everything


def _bind(host: str, port: int) -> socket.socket:
    """A bound socket that does not listen yet. Made with TCP named: else asyncio leaves out TCP_NODELAY on it."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    if os.name == "posix":  # on Windows the same option would let two servers share a port
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener


def _settings(backend_store_uri: str, artifacts_destination: str, allowed_hosts: str) -> dict[str, str]:
    """What `mlflow server` tells its workers (mlflow.server.constants, mlflow.server._run_server)."""
    return {
        "_MLFLOW_SERVER_FILE_STORE": backend_store_uri,
        "_MLFLOW_SERVER_REGISTRY_STORE": backend_store_uri,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": _ARTIFACT_ROOT,
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": artifacts_destination,
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SERVER_BOOT_ID": uuid.uuid4().hex,  # marks this process as a server: it runs no users' scorer code
        "_MLFLOW_IN_JOB_EXECUTOR": "false",
        "_MLFLOW_SGI_NAME": "uvicorn",
        "MLFLOW_SERVER_ALLOWED_HOSTS": allowed_hosts,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def _sqlite_file(uri: str) -> Path | None:
    from sqlalchemy.engine import make_url

    url = make_url(uri)
    return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _create_database(path: Path) -> None:
    """Make a new SQLite database beside its place and move it there whole: a kill half-way leaves nothing half-made."""
    if path.exists():
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    store = SqlAlchemyStore(f"sqlite:///{fresh.as_posix()}", _ARTIFACT_ROOT)
    store.engine.dispose()
    fresh.replace(path)


def _pragma(path: Path, pragma: str) -> None:
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA {pragma}")


def _leave_when_forgotten(server: uvicorn.Server, record: Path, service_id: str) -> None:
    """End a server whose project was deleted, or whose place another one took."""
    misses = 0
    while misses < 3:
        found = read_record(record)
        misses = 0 if found is not None and found.id == service_id else misses + 1
        threading.Event().wait(_LOOK_EVERY)
    logging.getLogger("uvicorn").warning("%s no longer names this server; it ends", record)
    server.should_exit = True


if __name__ == "__main__":
    main()
