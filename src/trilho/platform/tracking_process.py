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
import sqlite3
import sys
import threading
import uuid
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trilho.errors import TrilhoError
from trilho.importer import load_module
from trilho.platform.accounts import make_reader, secrets_in, told_to_mlflow
from trilho.platform.admission import Admitted, admitted_at_once, pool_settings
from trilho.platform.allowed_hosts import LOCAL_HOSTS, host_patterns, origin_patterns
from trilho.platform.backup.unfinished import refuse_unfinished
from trilho.platform.bucket import s3_environment, wait_for_bucket
from trilho.platform.cut_off import drop_cut_off_tables
from trilho.platform.database import check_database
from trilho.platform.database_address import DatabaseAddress, parse_database
from trilho.platform.database_wait import wait_for_database
from trilho.platform.listening import bound, listen
from trilho.platform.migrating import (
    alone,
    copy_before_migration,
    holds_nothing,
    prepare_new,
    refused_migration,
    schema_of,
    unfinished,
)
from trilho.platform.record import read_record
from trilho.platform.redacting import RedactingFormatter
from trilho.platform.service import ID_HEADER
from trilho.platform.serving_lock import serve
from trilho.platform.sqlite_turns import write_in_turn
from trilho.platform.tracking_metrics import Counted
from trilho.platform.user_tables import make_user_tables
from trilho.tracking.schema import table_names, upgrade_tables

if TYPE_CHECKING:
    import uvicorn

WAIT_SECONDS = 90.0  # for database and bucket

_LOOK_EVERY = 2.0
_GRACE_SECONDS = 3  # for requests in flight when it is asked to end
_ARTIFACT_ROOT = "mlflow-artifacts:/"  # no client ever sees a path of the server
_log = logging.getLogger("trilho")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the server as its command line says."""
    parser = argparse.ArgumentParser(prog="python -m trilho.platform.tracking_process", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--backend-store-uri", required=True, help="sqlite:///mlflow.db")
    parser.add_argument("--artifacts-destination", required=True, help="a folder")
    parser.add_argument("--allowed-hosts", default=LOCAL_HOSTS, help="names clients may call it by")
    parser.add_argument("--id", default="", help="sent with each answer; given by trilho up")
    parser.add_argument("--record", type=Path, help="ends when this file no longer names --id; given by trilho up")
    given = parser.parse_args(arguments)
    try:
        run_server(
            host=given.host,
            port=given.port,
            backend_store_uri=given.backend_store_uri,
            artifacts_destination=given.artifacts_destination,
            allowed_hosts=given.allowed_hosts,
            service_id=given.id,
            record=given.record,
        )
    except TrilhoError as error:
        sys.exit(str(error))


def run_server(
    *,
    host: str,
    port: int,
    backend_store_uri: str,
    artifacts_destination: str,
    allowed_hosts: str = LOCAL_HOSTS,
    service_id: str = "",
    record: Path | None = None,
    wait: float = WAIT_SECONDS,
    migrate: bool = False,
    accounts: Path | None = None,
) -> None:
    """Serve until asked to end.

    Several servers may start at once over one database and bucket.

    Args:
        host, port: Where to listen.
        backend_store_uri: The database: SQLite, MySQL or PostgreSQL. Made ready, if it is empty.
        artifacts_destination: A folder, or s3://BUCKET/PREFIX; the bucket is made if it is missing.
        allowed_hosts: Names that clients may call it by.
        service_id: Sent with each answer.
        record: The server ends once this file no longer names `service_id`.
        wait: How many seconds database and bucket have to come up.
        migrate: Whether an older MLflow's tables may be changed.
        accounts: Ask clients for user and password; the folder where a first administrator's password is kept.

    Raises:
        ServiceFailed: it cannot listen, database or bucket cannot be used, or the database is another MLflow's.
        MissingExtra: a driver is not installed.
    """
    listener = bound(host, port)  # before the seconds that importing MLflow takes
    if accounts is not None:
        load_module("flask_wtf")  # before the minutes that a first start may take
    address = parse_database(backend_store_uri)
    form = RedactingFormatter("%(asctime)s %(levelname)s %(message)s", {address.password, *secrets_in()})
    _set_up_logs(form)
    os.environ.update(_settings(address.uri, artifacts_destination, allowed_hosts) | s3_environment() | pool_settings())
    wait_for_database(address, seconds=wait, say=_log.info)
    wait_for_bucket(artifacts_destination, seconds=wait, say=_log.info)

    import uvicorn  # before mlflow: it takes its presence as the sign that it runs as a server

    with alone(address, say=_log.info), _explained(address, form):
        refuse_unfinished(artifacts_destination)
        serve(address)
        _make_tables(address, migrate)
        app = _application(address, accounts, form)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        ws="none",
        headers=[(ID_HEADER, service_id)] if service_id else None,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    if record is not None:
        threading.Thread(target=_leave_when_forgotten, args=(server, record, service_id), daemon=True).start()
    listen(listener)
    logging.getLogger("uvicorn").info("MLflow's tracking server starts at http://%s:%d", host, port)
    # uvicorn raises it again after its orderly end: not deadly then
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    try:
        with write_in_turn() if address.file is not None else contextlib.nullcontext():
            server.run(sockets=[listener])
    except KeyboardInterrupt:
        pass
    finally:
        if address.file is not None:
            _pragma(address.file, "wal_checkpoint(TRUNCATE)")  # the one file then holds everything


def _settings(backend_store_uri: str, artifacts_destination: str, allowed_hosts: str) -> dict[str, str]:
    """What `mlflow server` tells its workers (mlflow.server.constants, mlflow.server._run_server)."""
    hosts = host_patterns(allowed_hosts)
    return {
        "_MLFLOW_SERVER_FILE_STORE": backend_store_uri,
        "_MLFLOW_SERVER_REGISTRY_STORE": backend_store_uri,
        "_MLFLOW_SERVER_ARTIFACT_ROOT": _ARTIFACT_ROOT,
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": artifacts_destination,
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SERVER_BOOT_ID": uuid.uuid4().hex,  # marks this process as a server: it runs no users' scorer code
        "_MLFLOW_IN_JOB_EXECUTOR": "false",
        "_MLFLOW_SGI_NAME": "uvicorn",
        "MLFLOW_SERVER_ALLOWED_HOSTS": hosts,
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": os.environ.get("MLFLOW_SERVER_CORS_ALLOWED_ORIGINS")
        or origin_patterns(hosts),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def _set_up_logs(form: logging.Formatter) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(form)
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("uvicorn").setLevel(logging.INFO)
    _log.setLevel(logging.INFO)


def _make_tables(address: DatabaseAddress, migrate: bool) -> None:
    """The tables of the installed MLflow, whatever the database holds now."""
    if address.file is not None and not migrate:
        check_database(address.file)
    schema, revision = schema_of(address)
    if schema == "newer" or (schema == "older" and not migrate and not holds_nothing(address)):
        from mlflow.version import VERSION

        raise refused_migration(address, schema, revision, VERSION)
    if schema in ("none", "older") and drop_cut_off_tables(address, table_names()):
        _log.info("A first start was cut off. Its tables hold nothing, and are made anew.")
        schema = "none"
    if schema == "none":
        prepare_new(address, _log.info)
        if address.file is not None:
            _create_database(address.file)
    if schema == "older":
        copy_before_migration(address, revision, _log.info)
        _log.info("Migrating %s from schema %s", address.shown, revision)
        upgrade_tables(address.uri)
        _log.info("Migrated %s to schema %s", address.shown, schema_of(address)[1])
    if address.file is not None:
        # The page's reads and a training's writes then do not wait for each other. The file remembers it; on a network
        # drive that cannot, it stays as it is.
        _pragma(address.file, "journal_mode=WAL")


def _application(address: DatabaseAddress, accounts: Path | None, form: logging.Formatter) -> Any:
    """MLflow's ASGI application over the database; its first start makes what tables are missing."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow imports a deprecated part of starlette, which nobody here can change
        from mlflow.server import app as routes
        from mlflow.server.fastapi_app import app
    from mlflow.server.handlers import initialize_backend_stores

    for name in ("mlflow", "alembic"):  # their own handlers would write what they like
        for handler in logging.getLogger(name).handlers:
            handler.setFormatter(form)
    initialize_backend_stores(address.uri, address.uri, _ARTIFACT_ROOT)
    if accounts is not None:
        with told_to_mlflow(address, accounts, say=_log.info):
            from mlflow.server.auth import create_app, store
            from mlflow.server.auth.db.utils import migrate

            make_user_tables(address, lambda engine: migrate(engine, "head"))
            app = create_app()
            make_reader(store)
    return Counted(Admitted(app, admitted_at_once()), [rule.rule for rule in routes.url_map.iter_rules()])


@contextlib.contextmanager
def _explained(address: DatabaseAddress, form: RedactingFormatter) -> Iterator[None]:
    """What MLflow or the database raise inside becomes a ServiceFailed without secrets, and a traceback in the log."""
    try:
        yield
    except (TrilhoError, ImportError):
        raise
    except Exception as error:
        _log.error("MLflow's server cannot be made", exc_info=True)
        said = form.without_secrets(f"{type(error).__name__}: {error}".split("\n")[0])
        raise unfinished(address, said) from None


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
