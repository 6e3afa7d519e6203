"""trilho tracking-server: MLflow's server, lean, in the foreground: for a container or a team's machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_STORE = "MLFLOW_BACKEND_STORE_URI"


def tracking_server(
    backend_store_uri: Annotated[
        str,
        typer.Option(envvar=_STORE, help="sqlite:///FILE, mysql://USER:PASSWORD@HOST/DATABASE, postgresql://…"),
    ] = "sqlite:///mlflow.db",
    artifacts_destination: Annotated[
        str,
        typer.Option(
            envvar=["MLFLOW_ARTIFACTS_DESTINATION", "MLFLOW_DEFAULT_ARTIFACT_ROOT"],
            help="A folder, or s3://BUCKET/PREFIX. Only this server touches it; clients go through the server.",
        ),
    ] = "./mlartifacts",
    host: Annotated[
        str, typer.Option(envvar="MLFLOW_HOST", help="0.0.0.0 for other machines to reach it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="MLFLOW_PORT", min=1, max=65_535, help="Port to listen on.")] = 5000,
    allowed_hosts: Annotated[
        str,
        typer.Option(
            envvar="MLFLOW_SERVER_ALLOWED_HOSTS",
            help="Every name that clients call it by, such as mlflow,mlflow.example.org; localhost always is.",
        ),
    ] = "",
    wait: Annotated[
        float, typer.Option(envvar="TRILHO_WAIT", min=0, help="Seconds for database and bucket to come up.")
    ] = 90,
    migrate: Annotated[
        bool,
        typer.Option(
            envvar="TRILHO_MIGRATE",
            help="Let an older MLflow's tables be changed. Back them up first; SQLite is copied and needs no flag.",
        ),
    ] = False,
    auth: Annotated[
        bool,
        typer.Option("--auth", envvar="TRILHO_AUTH", help="Ask clients for user and password: MLflow's own users."),
    ] = False,
    auth_folder: Annotated[
        Path, typer.Option(envvar="TRILHO_AUTH_FOLDER", help="Where the first administrator's password is kept.")
    ] = Path(),
) -> None:
    """Run MLflow's tracking server until Ctrl-C. For a container or a team's machine.

    Waits for database and bucket, makes what is missing in them, and serves from one process, artifacts included.
    Several may start at once over the same database. Addresses with passwords belong into the environment.
    """
    from trilho.cli.hidden_password import hide_password
    from trilho.platform.tracking_process import run_server

    hide_password(backend_store_uri)
    run_server(
        host=host,
        port=port,
        backend_store_uri=backend_store_uri,
        artifacts_destination=_destination(artifacts_destination),
        allowed_hosts=allowed_hosts,
        wait=wait,
        migrate=migrate or backend_store_uri.startswith("sqlite:"),
        accounts=auth_folder if auth else None,
    )


def _destination(given: str) -> str:
    """MLFLOW_DEFAULT_ARTIFACT_ROOT names the proxy itself where somebody set it for a plain `mlflow server`."""
    return "./mlartifacts" if given.startswith("mlflow-artifacts:") else given
