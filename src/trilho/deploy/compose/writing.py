"""`trilho deploy compose DIR`: compose.yml, .env, what the images are built from, and a README."""

from __future__ import annotations

import os
import re
from importlib.metadata import version as installed_version
from pathlib import Path, PurePosixPath

from jinja2 import Environment, PackageLoader, StrictUndefined

from trilho.deploy.compose.env_file import write_env
from trilho.deploy.compose.plan import ComposePlan
from trilho.deploy.folder import Written, write_folder
from trilho.deploy.image.context import write_context
from trilho.deploy.image.wheel import wheel_name
from trilho.deploy.monitoring.writing import write_monitoring

BACKUPS = "backups"


def write_compose(folder: Path, plan: ComposePlan, *, replace: bool = False) -> Written:
    """Write a team's server into `folder`, which need not exist.

    .env is written once, for its owner's eyes only. Later it only gains what a new compose.yml asks for and it does
    not have; a line that is there never changes, whatever `replace` says. The answer's `unlike` names those that these
    options would set otherwise.

    Args:
        replace: Write over other files that differ, too.

    Raises:
        OSError: no room, or no right to write.
    """
    values = {
        **plan.values(folder),
        "version": installed_version("trilho"),
        "wheel": wheel_name(),
        "name": _project_name(plan, folder),
    }
    templates = Environment(
        loader=PackageLoader("trilho.deploy.compose", "files"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    texts = {name: templates.get_template(name).render(values) for name in ("compose.yml", "README.md")}
    texts[".gitignore"] = f".env\n{BACKUPS}/\n"
    if plan.project is not None:
        texts["settings/trilho.yaml"] = plan.project.file.read_text(encoding="utf-8")
    plain = write_folder(folder, {PurePosixPath(name): text for name, text in texts.items()}, replace=replace)
    _make_backups(folder)
    env = templates.get_template("env")
    done = [
        plain,
        _below("image", write_context(folder / "image", replace=replace)),
        _below(
            "monitoring",
            write_monitoring(
                folder / "monitoring",
                tracking=["http://mlflow:5000"],
                model_servers=["http://webapp:8000"] if plan.project else [],
                alertmanager="alertmanager:9093",
                prometheus="prometheus:9090",
                replace=replace,
            ),
        ),
        write_env(
            folder,
            lambda secret: env.render(values, secret=secret),
            complete=PurePosixPath("compose.yml") not in plain.kept,
        ),
    ]
    return Written(
        folder=folder,
        written=tuple(path for one in done for path in one.written),
        same=tuple(path for one in done for path in one.same),
        kept=tuple(path for one in done for path in one.kept),
        untouched=tuple(path for one in done for path in one.untouched),
        unlike={name: values for one in done for name, values in one.unlike.items()},
    )


# ----------------------------------------------------------------------------------------------------------------------


def _project_name(plan: ComposePlan, folder: Path) -> str:
    """The name that Compose gives to containers and volumes: its rules are small letters, digits, - and _."""
    name = plan.project.name if plan.project else folder.resolve().name
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_") or "mlflow"


def _make_backups(folder: Path) -> None:
    """A folder that the user of the image may write into, whoever that is here; what it writes it alone can read."""
    backups = folder / BACKUPS
    if not backups.exists():
        backups.mkdir(parents=True)
        if os.name == "posix":
            backups.chmod(0o1777)


def _below(name: str, done: Written) -> Written:
    def below(paths: tuple[PurePosixPath, ...]) -> tuple[PurePosixPath, ...]:
        return tuple(PurePosixPath(name) / path for path in paths)

    return Written(
        folder=done.folder,
        written=below(done.written),
        same=below(done.same),
        kept=below(done.kept),
        untouched=below(done.untouched),
    )
