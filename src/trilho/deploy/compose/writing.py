"""`trilho deploy compose DIR`: compose.yml, .env, what the images are built from, and a README."""

from __future__ import annotations

import os
import re
import secrets
from importlib.metadata import version as installed_version
from pathlib import Path, PurePosixPath

from jinja2 import Environment, PackageLoader, StrictUndefined

from trilho.deploy.compose.plan import ComposePlan
from trilho.deploy.folder import Written, write_folder
from trilho.deploy.image.context import write_context
from trilho.deploy.image.wheel import wheel_name
from trilho.deploy.monitoring.writing import write_monitoring

_SECRET_BYTES = 20
_ENV = PurePosixPath(".env")


def write_compose(folder: Path, plan: ComposePlan, *, replace: bool = False) -> Written:
    """Write a team's server into `folder`, which need not exist.

    .env is written once, for its owner's eyes only. Later it only gains what a new compose.yml asks for and it does
    not have; a line that is there never changes, whatever `replace` says.

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
        "secret": lambda: secrets.token_hex(_SECRET_BYTES),  # no sign that an address or a shell reads in its own way
    }
    templates = Environment(
        loader=PackageLoader("trilho.deploy.compose", "files"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    texts = {name: templates.get_template(name).render(values) for name in ("compose.yml", "README.md", "env")}
    env = texts.pop("env")
    texts[".gitignore"] = ".env\n"
    if plan.project is not None:
        texts["settings/trilho.yaml"] = plan.project.file.read_text(encoding="utf-8")
    done = [
        write_folder(folder, {PurePosixPath(name): text for name, text in texts.items()}, replace=replace),
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
        _write_env(folder, env),
    ]
    return Written(
        folder=folder,
        written=tuple(path for one in done for path in one.written),
        same=tuple(path for one in done for path in one.same),
        kept=tuple(path for one in done for path in one.kept),
    )


# ----------------------------------------------------------------------------------------------------------------------


def _project_name(plan: ComposePlan, folder: Path) -> str:
    """The name that Compose gives to containers and volumes: its rules are small letters, digits, - and _."""
    name = plan.project.name if plan.project else folder.resolve().name
    return re.sub(r"[^a-z0-9_-]+", "-", name.lower()).strip("-_") or "mlflow"


def _write_env(folder: Path, text: str) -> Written:
    file = folder / _ENV
    try:
        there = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        _write_private(file, text)
        return Written(folder=folder, written=(_ENV,))
    known = set(re.findall(r"(?m)^\s*(?:export\s+)?(\w+)\s*=", there))
    missing = [line for line in text.splitlines() if (name := re.match(r"(\w+)=", line)) and name[1] not in known]
    if not missing:
        return Written(folder=folder, same=(_ENV,))
    _write_private(file, there.rstrip("\n") + "\n\n# Added for a later compose.yml\n" + "\n".join(missing) + "\n")
    return Written(folder=folder, written=(_ENV,))


def _write_private(file: Path, text: str) -> None:
    """Whole or not at all, and never readable by others, not even for a moment."""
    fresh = file.with_name(f"{file.name}.new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
        opened.write(text)
    fresh.replace(file)


def _below(name: str, done: Written) -> Written:
    def below(paths: tuple[PurePosixPath, ...]) -> tuple[PurePosixPath, ...]:
        return tuple(PurePosixPath(name) / path for path in paths)

    return Written(folder=done.folder, written=below(done.written), same=below(done.same), kept=below(done.kept))
