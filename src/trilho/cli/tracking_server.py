"""trilho tracking-server: MLflow's server, lean, in the foreground: for a container or a team's machine."""

from __future__ import annotations

from typing import Annotated

import typer


def tracking_server(
    backend_store_uri: Annotated[
        str,
        typer.Option(envvar="MLFLOW_BACKEND_STORE_URI", help="sqlite:///mlflow.db, postgresql://…, mysql+pymysql://…"),
    ] = "sqlite:///mlflow.db",
    artifacts_destination: Annotated[
        str,
        typer.Option(envvar="MLFLOW_ARTIFACTS_DESTINATION", help="A folder, or s3://BUCKET/PREFIX."),
    ] = "./mlartifacts",
    host: Annotated[
        str, typer.Option(envvar="MLFLOW_HOST", help="0.0.0.0 for other machines to reach it.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(envvar="MLFLOW_PORT", min=1, max=65_535, help="Port to listen on.")] = 5000,
    allowed_hosts: Annotated[
        str,
        typer.Option(
            envvar="MLFLOW_SERVER_ALLOWED_HOSTS",
            help="Every name that clients call it by, with and without port: 'mlflow,mlflow:*'. Default: localhost.",
        ),
    ] = "",
) -> None:
    """Run MLflow's tracking server until Ctrl-C. For a container or a team's machine.

    One process, no job runners, artifacts through the server. Options and environment names are MLflow's own.
    """
    from trilho.platform.tracking_process import LOCAL_HOSTS, run_server

    run_server(
        host=host,
        port=port,
        backend_store_uri=backend_store_uri,
        artifacts_destination=artifacts_destination,
        allowed_hosts=allowed_hosts or LOCAL_HOSTS,
    )
