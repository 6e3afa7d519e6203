"""trilho serve: answer with the champion, or with another model."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from trilho.cli.options import HERE, Folder, Overrides, Profile, connected, load_project

if TYPE_CHECKING:
    from trilho.project import ProjectFile
    from trilho.serving import Found


def serve(
    model: Annotated[
        str, typer.Option("--model", "-m", help="models:/NAME@ALIAS, models:/NAME/3, or a bundle (default: champion).")
    ] = "",
    host: Annotated[str | None, typer.Option(help="Address to listen on (default: serve.host).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 for any (default: serve.port).")] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="Listen beyond this machine, without keys.")] = False,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
) -> None:
    """Answer predictions over HTTP: /invocations, /ping, /health, /version as MLflow's own server does.

    Example: trilho serve --port 8000
    """
    from trilho import bundle, serving
    from trilho.cli import output

    file = load_project(project, profile, overrides)
    host = file.serve.host if host is None else host
    listening = serving.listen(host, file.serve.port if port is None else port, insecure=insecure)
    found = find_model(file, model)
    if found.note:
        output.progress(found.note)
    predictor = bundle.open(found.path, trust_code=file.serve.trust_code, trusted=file.train.trusted_types)
    served = serving.Served(predictor=predictor, name=found.name, version=found.version, since=time.time())
    output.state("Serving", f"{found.name} v{found.version} answers at {listening.address}")
    output.state("Ask", f"curl {listening.address}/health")
    sys.stdout.flush()  # into a pipe, too, before the first request
    serving.work(listening.sock, served, journal=file.state_dir / "journal", share=file.serve.journal)
    output.state("Stopped", f"{found.name} v{found.version}; its journal is in {file.state_dir / 'journal'}")


def find_model(file: ProjectFile, model: str) -> Found:
    """The bundle of `model`, or of the champion; from this disk where the registry does not answer."""
    from trilho import serving
    from trilho.errors import ServerRefused, ServerUnreachable, ServiceFailed

    uri = model or f"models:/{file.register.name}@champion"
    folder = file.state_dir / "serving"
    if not uri.startswith("models:/"):
        return serving.find(uri, folder=folder)
    try:
        with connected(file) as client:
            return serving.find(uri, folder=folder, client=client)
    except (ServerUnreachable, ServerRefused, ServiceFailed) as error:
        return serving.find(uri, folder=folder, problem=error)
