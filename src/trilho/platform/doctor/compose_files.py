"""The compose files and Dockerfiles of a project, and the names that exist between its containers only."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from trilho.platform.doctor.site import Site

_FILES = ("*compose*.yml", "*compose*.yaml", "Dockerfile")


def container_files(site: Site) -> list[Path]:
    """Compose files and Dockerfiles in the project's folder and one below."""
    folders = [site.root, *(path for path in site.root.iterdir() if path.is_dir() and not path.name.startswith("."))]
    return sorted({file for folder in folders for pattern in _FILES for file in folder.glob(pattern)})


def compose_services(site: Site) -> Iterator[tuple[str, dict[str, Any]]]:
    """Name and description of each service in the compose files; a file that is not understood has none."""
    import yaml

    for file in container_files(site):
        if file.name == "Dockerfile":
            continue
        try:
            services = (yaml.safe_load(file.read_text(encoding="utf-8")) or {}).get("services") or {}
            yield from ((str(name), found) for name, found in services.items() if isinstance(found, dict))
        except (OSError, UnicodeError, yaml.YAMLError, AttributeError):
            continue


def is_of_containers(site: Site, host: str) -> bool:
    """Whether `host` is a service of the project's compose file that this machine does not know.

    A .env that Compose shares with the project names such hosts (db, s3). They are meant for its containers: outside
    of them there is nothing to be reached, and nothing wrong with that.
    """
    if not host or host not in {name for name, _ in compose_services(site)}:
        return False
    try:
        socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return True
    return False
