"""trilho deploy: files for what runs the platform elsewhere, or watches it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from trilho.cli.options import HERE, AsJson, Folder, Overrides, Profile, load_project

if TYPE_CHECKING:
    from trilho.deploy import Written
    from trilho.project import ProjectFile

TARGETS = ("compose", "monitoring")
_TRACKING, _MODEL_SERVER = "http://127.0.0.1:5000", "http://127.0.0.1:{port}"
_MODEL_PORT = 8000


def deploy(
    what: Annotated[
        str,
        typer.Argument(
            metavar="compose|monitoring",
            help="compose: tracking and model server for a team. monitoring: Prometheus, Alertmanager and Grafana.",
        ),
    ],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to; files that you changed stay.")],
    database: Annotated[str | None, typer.Option(help="compose: mysql, postgres or sqlite (default: mysql).")] = None,
    artifacts: Annotated[
        str | None,
        typer.Option(
            help="compose: s3, a store of its own; folder; or s3://BUCKET/PREFIX, which is there (default: s3)."
        ),
    ] = None,
    host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="compose: what other machines call it (default: for this machine only)."),
    ] = None,
    tracking_server: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="monitoring: who is asked for metrics (default: the project's own)."),
    ] = None,
    model_server: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="monitoring: as often as there are servers (default: the project's)."),
    ] = None,
    runbook: Annotated[
        str | None, typer.Option(metavar="URL", help="monitoring: where your people read runbook.md.")
    ] = None,
    replace: Annotated[bool, typer.Option("--replace", help="Write over files that were changed, too.")] = False,
    project: Folder = HERE,
    profile: Profile = None,
    overrides: Overrides = None,
    json: AsJson = False,
) -> None:
    """Write files for Docker Compose, or for Prometheus.

    Grafana and Alertmanager included. They are plain files that a person can edit; nothing is started.

    README.md among them says how to start what, and what to change first.

    Example: trilho deploy compose server --database postgres
    """
    from trilho.cli import output
    from trilho.deploy import ComposePlan, write_compose, write_monitoring
    from trilho.errors import UnknownName
    from trilho.project.names import did_you_mean

    if what not in TARGETS:
        raise UnknownName(
            f"There is no 'trilho deploy {what}'.{did_you_mean(what, TARGETS)}",
            remedy="Write one of: " + ", ".join(f"trilho deploy {target} DIR" for target in TARGETS),
        )
    _refuse_others(
        what,
        compose={"--database": database, "--artifacts": artifacts, "--host": host},
        monitoring={"--tracking-server": tracking_server, "--model-server": model_server, "--runbook": runbook},
    )
    if what == "compose":
        plan = ComposePlan(
            database=database or "mysql",
            artifacts=artifacts or "s3",
            hosts=tuple(host or ()),
            project=_project(project, profile, overrides),
        )
        done = write_compose(folder, plan, replace=replace)
    else:
        tracking, server = _known(project, profile, overrides)
        done = write_monitoring(
            folder,
            tracking=tracking_server or [tracking],
            model_servers=model_server or [server],
            runbook=runbook or "",
            replace=replace,
        )
    if json:
        paths = {name: [str(path) for path in getattr(done, name)] for name in ("written", "same", "kept")}
        unlike = {name: {"is": there, "would_be": asked} for name, (there, asked) in done.unlike.items()}
        output.as_json({"folder": str(folder.resolve()), **paths, "not_changed": unlike})
    else:
        _say(done, what)


# ----------------------------------------------------------------------------------------------------------------------


def _refuse_others(what: str, **of: Mapping[str, object]) -> None:
    from trilho.errors import UnknownName

    given = [option for target, options in of.items() if target != what for option, value in options.items() if value]
    if given:
        raise UnknownName(
            f"trilho deploy {what} has no use for {' and '.join(given)}.",
            state="Nothing was written.",
            remedy=f"Leave it out. What it has: {', '.join(of[what])}.",
        )


def _project(project: Path, profile: str | None, overrides: list[str] | None) -> ProjectFile | None:
    from trilho.errors import ProjectNotFound

    try:
        return load_project(project, profile, overrides)
    except ProjectNotFound:
        return None


def _known(project: Path, profile: str | None, overrides: list[str] | None) -> tuple[str, str]:
    """Addresses of the project's tracking server and model server; without a project those they would have."""
    from trilho.errors import ServiceFailed
    from trilho.platform import known_address

    file = _project(project, profile, overrides)
    if file is None:
        return _TRACKING, _MODEL_SERVER.format(port=_MODEL_PORT)
    try:
        tracking = known_address(file)
    except ServiceFailed:  # not started yet
        tracking = _TRACKING
    return tracking, _MODEL_SERVER.format(port=file.serve.port)


def _asked(name: str, value: str) -> str:
    return f"{name}=KEY, a long word of your own" if value == "…" else f"{name}={value}"


def _say(done: Written, what: str) -> None:
    from trilho.cli import output

    same = f", {len(done.same)} were there" if done.same else ""
    output.state("Written", f"{done.folder}: {len(done.written)} files{same}")
    for path in done.kept:
        if path in done.untouched:
            output.state(
                "Kept", f"{path} was written with other options, or by another trilho; --replace writes it anew"
            )
        else:
            output.state("Kept", f"{path} was changed; --replace writes over it")
    for name, (there, asked) in done.unlike.items():
        output.state("Unchanged", f".env has {name}={there}; for these options set {_asked(name, asked)}")
    if what == "compose":
        output.state("Secrets", f"{done.folder / '.env'}: made once, readable by you alone; keep it")
        output.state("Next", f"cd {quote(str(done.folder))} && docker compose up -d --build --wait")
    else:
        output.state("Asked", f"{done.folder / 'targets'}: the servers that Prometheus asks")
        output.state("Next", f"read {done.folder / 'README.md'}")
