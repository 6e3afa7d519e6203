"""Docker, where the project has a compose file: does it run, and are the names free that its containers want?"""

from __future__ import annotations

import json
from pathlib import Path

from trilho.errors import ServiceFailed
from trilho.platform.doctor.command import ask
from trilho.platform.doctor.compose_files import compose_services, container_files
from trilho.platform.doctor.finding import Finding, Fix, counted, ok, some, trouble, unknown
from trilho.platform.doctor.site import Site
from trilho.platform.service import Say

# Names that instructions give to containers by hand: docker run --name model_server …
HAND_GIVEN = ("model_server", "mlflow_local", "mlflow_db", "mlflow-server-container")

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
    """`Conflict. The container name "/model_server" is already in use by container …`"""
    files = container_files(site)
    said = ask("docker", "ps", "-a", "--format", _FORMAT, environment=site.environment) if files else None
    if said is None or said.code != 0:
        return None  # docker has a check of its own
    wanted = {str(found["container_name"]) for _, found in compose_services(site) if "container_name" in found}
    folders = {file.parent.resolve() for file in files}
    taken, stopped = {}, []
    for line in said.out.splitlines():
        found = json.loads(line)
        name, labels, running = found["Names"], _labels(found.get("Labels", "")), found.get("State") == "running"
        folder = labels.get("com.docker.compose.project.working_dir")
        ours = folder is not None and Path(folder).resolve() in folders
        if (name in wanted and not ours) or (name in HAND_GIVEN and folder is None and not running):
            taken[name] = f"{name} ({found.get('Status') or found.get('State')})"
            stopped += [] if running else [name]
    if not taken:
        return ok(f"{len(wanted)} container names are free or ours.")
    return trouble(
        f"Taken by containers of another origin: {some(taken.values())}.",
        expected="The names that the compose file (or docker run --name) gives are free.",
        remedy="If you do not need them: docker rm -f " + " ".join(taken) + "\nAll that are stopped: "
        "docker container prune -f",
        fix=_removal(stopped, site) if stopped else None,
    )


# ---------------------------------------------------------------------------------------------------------------------


def _removal(names: list[str], site: Site) -> Fix:
    def act(_: Say) -> str:
        said = ask("docker", "rm", *names, environment=site.environment)  # not -f: one that runs by now stays
        if said is None or said.code != 0:
            raise ServiceFailed(
                f"Docker did not remove {some(names)}.",
                why=said.problem if said else "docker is gone",
                remedy="docker ps -a shows what is there.",
            )
        return f"{counted(len(names), 'stopped container')} removed: {some(names)}."

    stopped = counted(len(names), "stopped container")
    return Fix(does=f"Remove {stopped}, with what was written inside: {some(names)}.", act=act)


def _labels(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(","))
    return {name: value for name, _, value in pairs}
