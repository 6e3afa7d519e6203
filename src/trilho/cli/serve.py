"""trilho serve: answer with the champion, whoever that is, or with another model."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trilho.cli.options import HERE, Folder, Overrides, Profile, connected, load_project

if TYPE_CHECKING:
    from trilho.journal.keeping import Keeper
    from trilho.project import ProjectFile
    from trilho.serving import Found, Pointer

MISSES = 3  # looks at a record that no longer names us, before that is believed


def serve(
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", help="models:/NAME@ALIAS, models:/NAME/3, runs:/ID/model, or a folder (default: champion)."
        ),
    ] = "",
    host: Annotated[str | None, typer.Option(help="Address to listen on (default: serve.host).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 for any (default: serve.port).")] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes that answer (default: serve.workers).")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Start without a champion, too, and wait for one.")] = False,
    trust_code: Annotated[bool, typer.Option("--trust-code", help="Let code that travels with a model run.")] = False,
    insecure: Annotated[bool, typer.Option("--insecure", help="Listen beyond this machine, without keys.")] = False,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    service_id: Annotated[str, typer.Option("--id", hidden=True)] = "",
    record: Annotated[Path | None, typer.Option(hidden=True)] = None,
) -> None:
    """Answer predictions over HTTP as MLflow's server does. It follows the champion by itself.

    Example: trilho serve --port 8000 --workers 2
    """
    from trilho import serving
    from trilho.cli import output

    file = settings(project, profile, overrides, model=model)
    trusted = trust_code or file.serve.trust_code
    plan = serving.Plan(
        model=_address(file, model),
        folder=file.state_dir / "serving",
        workers=file.serve.workers if workers is None else workers,
        every=file.serve.reload_every,
        wait=wait,
    )
    orders = serving.Orders(
        folder="",
        journal=str(file.state_dir / "journal"),
        share=file.serve.journal,
        columns=tuple(file.journal.columns),
        trust_code=trusted,
        trusted=tuple(file.train.trusted_types),
        service_id=service_id,
        connections=file.serve.connections,
        concurrency=file.serve.concurrency,
        max_body=file.serve.max_body,
        max_rows=file.serve.max_rows,
        body_seconds=file.serve.body_seconds,
        cors=tuple(file.serve.cors),
    )
    guarded = bool(serving.Keys.from_environment())
    listening = serving.listen(
        file.serve.host if host is None else host,
        file.serve.port if port is None else port,
        insecure=insecure or guarded,
    )
    _log_to_stderr()
    _have_a_server(file, plan.model)

    def began(pointer: Pointer) -> None:
        target = pointer.target
        if target is None:
            output.state("Waiting", f"for {plan.model}, at {listening.address}")
        else:
            output.state("Serving", f"{target.name} v{target.version} answers at {listening.address}")
        if serving.moves(plan.model):
            output.state("Following", f"{plan.model}, asked every {plan.every:g} s")
        output.state("Ask", f"curl {listening.address}/health")
        sys.stdout.flush()  # into a pipe, too, before the first request

    serving.serve(
        plan,
        orders,
        listening,
        address=_known(file),
        began=began,
        wanted=_wanted(record, service_id),
        tidy=_keeping(file, Path(orders.journal)),
    )
    output.state("Stopped", f"what was in flight was answered; the journal is in {orders.journal}")


def settings(project: Path, profile: str | None, overrides: list[str] | None, *, model: str) -> ProjectFile:
    """The project's settings; where there is no project but a model is named, those of environment and flags.

    Raises:
        ProjectNotFound: neither.
    """
    from trilho.errors import ProjectNotFound
    from trilho.project.without_file import settings_without_file

    try:
        return load_project(project, profile, overrides)
    except ProjectNotFound:
        if not model or profile or not project.is_dir():
            raise
        return settings_without_file(project, overrides=overrides or ())


def find_model(file: ProjectFile, model: str) -> Found:
    """The bundle of `model`, or of the champion; from this disk where the registry does not answer."""
    from trilho import serving
    from trilho.errors import ServerRefused, ServerUnreachable, ServiceFailed

    uri = _address(file, model)
    folder = file.state_dir / "serving"
    trust = serving.Trust(code=file.serve.trust_code, types=file.train.trusted_types)
    if not serving.is_on_server(uri):
        return serving.find(uri, folder=folder, trust=trust)
    try:
        with connected(file) as client:
            return serving.find(uri, folder=folder, client=client, trust=trust)
    except (ServerUnreachable, ServerRefused, ServiceFailed) as error:
        return serving.find(uri, folder=folder, problem=error, trust=trust)


# ----------------------------------------------------------------------------------------------------------------------


def _address(file: ProjectFile, model: str) -> str:
    return model or f"models:/{file.register.name}@champion"


def _have_a_server(file: ProjectFile, model: str) -> None:
    """Start the local tracking server where only it can say what to serve."""
    from trilho import serving
    from trilho.cli.output import progress
    from trilho.errors import InvalidProject
    from trilho.platform.address import server_address

    if file.tracking_uri or not serving.is_on_server(model) or serving.recall(file.state_dir / "serving", model):
        return
    if not file.file.exists():
        raise InvalidProject(
            f"Nobody says where {model} is.",
            why="There is no trilho.yaml here, and no MLFLOW_TRACKING_URI.",
            remedy="Set MLFLOW_TRACKING_URI=http://HOST:PORT, or name a folder: --model artifacts/model",
        )
    server_address(file, progress)


def _known(file: ProjectFile) -> Callable[[], str]:
    from trilho.platform.address import known_address

    return lambda: known_address(file)


def _keeping(file: ProjectFile, journal: Path) -> Callable[[], Mapping[str, Any]]:
    """What looks after the journal; loaded with its first turn, some seconds after the first answer."""
    keepers: list[Keeper] = []

    def tidy() -> Mapping[str, Any]:
        if not keepers:
            from trilho.journal.keeping import Keeper

            keepers.append(Keeper(journal, max_bytes=file.journal.max_bytes, keep=file.journal.keep))
        kept = keepers[0].tidy(time.time())
        return {"journal_bytes": kept.bytes, "journal_deleted": kept.deleted, "journal_problem": kept.problem}

    return tidy


def _wanted(record: Path | None, service_id: str) -> Callable[[], bool]:
    """For a server that `trilho up` started: False once its record is gone, or names another one."""
    from trilho.platform.record import read_record

    misses = 0

    def wanted() -> bool:
        nonlocal misses
        if record is None:
            return True
        found = read_record(record)
        misses = 0 if found is not None and found.id == service_id else misses + 1
        return misses < MISSES

    return wanted


def _log_to_stderr() -> None:
    import logging

    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("trilho").setLevel(logging.INFO)
