"""Docker, where the project has a compose file: does it run, and are the names free that its containers want?"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path

from trilho.errors import ServiceFailed
from trilho.platform.doctor.command import ask
from trilho.platform.doctor.compose_files import compose_services, container_files
from trilho.platform.doctor.finding import Finding, Fix, ok, some, trouble, unknown
from trilho.platform.doctor.site import Site
from trilho.platform.service import Say

_FOLDER = "com.docker.compose.project.working_dir"  # Compose writes it on its own containers

_FORMAT = "{{json .}}"


def docker(site: Site) -> Finding | None:
    """`Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?`"""
    if not container_files(site):
        return None
    said = ask("docker", "version", "--format", "{{.Server.Version}}", environment=site.environment)
    if said is None:
        return unknown("There is a compose file or a Dockerfile, and no docker on this machine.")
    if said.code == 0:
        return ok(f"Docker {said.out} answers.")
    if "permission denied" in said.problem.lower():
        remedy = "Join the group docker (sudo usermod -aG docker $USER, then log in anew), or use sudo."
    elif "client version" in said.problem.lower() or "api version" in said.problem.lower():
        remedy = "Set DOCKER_API_VERSION to the one that the message names as supported (1.44), or upgrade Docker."
    else:
        remedy = "Start it: sudo systemctl start docker (Linux), or open Docker Desktop (macOS, Windows)\nWhere it "
        remedy += "listens elsewhere: DOCKER_HOST, or docker context ls"
    return trouble(said.problem or f"docker version ended with {said.code}", expected="Docker answers.", remedy=remedy)


def container_names(site: Site) -> Finding | None:
    """`Conflict. The container name "/my_mlflow" is already in use by container …`"""
    files = container_files(site)
    said = ask("docker", "ps", "-a", "--no-trunc", "--format", _FORMAT, environment=site.environment) if files else None
    if said is None or said.code != 0:
        return None  # docker has a check of its own
    wanted = {str(found["container_name"]) for _, found in compose_services(site) if "container_name" in found}
    folders = {file.parent.resolve() for file in files}
    taken, remedies, by_hand = [], [], {}
    for line in said.out.splitlines():
        found = json.loads(line)
        name, labels = found["Names"], _labels(found.get("Labels", ""))
        folder = labels.get(_FOLDER)
        if name not in wanted or (folder is not None and Path(folder).resolve() in folders):
            continue
        origin = "made by hand" if folder is None else f"of {folder}"
        taken.append(f"{name} ({origin}, {found.get('Status') or found.get('State')})")
        remedies.append(
            f"docker rename {name} {name}-before" if folder is None else f"cd {folder} && docker compose down"
        )
        if folder is None and found.get("State") != "running":
            by_hand[found["ID"]] = name
    if not taken:
        return ok(f"{len(wanted)} container names are free or ours.")
    return trouble(
        f"Taken by containers of another origin: {some(taken)}.",
        expected="The names that the compose file gives are free.",
        remedy="\n".join(dict.fromkeys(remedies)) + "\nOr give another container_name in the compose file.",
        fix=_renaming(by_hand, site) if by_hand else None,
    )


# ---------------------------------------------------------------------------------------------------------------------


def _renaming(names: Mapping[str, str], site: Site) -> Fix:
    """Other names for containers that are stopped: a database in one of them stays with it."""
    new = {number: f"{name}-before-{time.strftime('%Y%m%d-%H%M%S')}" for number, name in names.items()}
    told = some(f"{name} → {new[number]}" for number, name in names.items())

    def act(_: Say) -> str:
        for number, name in new.items():
            _rename(number, name, site.environment)
        return f"Renamed, with what is in them: {told}"

    return Fix(does=f"Rename what is stopped, with what is in it: {told}", act=act)


def _rename(number: str, name: str, environment: Mapping[str, str]) -> None:
    said = ask("docker", "inspect", "--format", "{{.State.Running}}", number, environment=environment)
    if said is not None and said.code == 0 and said.out != "false":
        why = "it runs by now"
    else:
        said = ask("docker", "rename", number, name, environment=environment)
        if said is not None and said.code == 0:
            return
        why = said.problem if said else "docker is gone"
    raise ServiceFailed(
        f"The container {number[:12]} was not renamed to {name}.",
        state="It is as it was.",
        why=why,
        remedy="docker ps -a shows what is there.",
    )


def _labels(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(","))
    return {name: value for name, _, value in pairs}
