"""The folder that images are built from: Dockerfile, the trilho that runs here, and the versions it runs with."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, requires, version
from importlib.resources import files
from pathlib import Path, PurePosixPath

from trilho.deploy.folder import Written, write_folder
from trilho.deploy.image.wheel import wheel, wheel_name

_PIP = """\
# pip's settings while the images are built, such as your own package index. They are in none of the layers.
# [global]
# index-url =
"""
_PINNED = """\
# The versions that were installed where this was written: what the images do is what was tried there.
# Write newer ones, or none; then: docker compose build
"""


def write_context(folder: Path, *, replace: bool = False) -> Written:
    """Write all that `docker build` needs into `folder`. The wheel is always the newest, a changed text file stays.

    Raises:
        OSError: no room, or no right to write.
    """
    home = files("trilho.deploy.image")
    texts = {name: (home / name).read_text(encoding="utf-8") for name in ("Dockerfile", "Dockerfile.dockerignore")}
    texts |= {"constraints.txt": _constraints(), "pip.conf": _PIP}
    done = write_folder(folder, {PurePosixPath(name): text for name, text in texts.items()}, replace=replace)
    for old in folder.glob("trilho-*.whl"):
        if old.name != wheel_name():
            old.unlink()
    (folder / wheel_name()).write_bytes(wheel())
    return done


# ----------------------------------------------------------------------------------------------------------------------


def _constraints() -> str:
    """Exact versions of what trilho itself names, without extras. A local build (1.0+cpu) is on no index: left out."""
    lines = []
    for requirement in requires("trilho") or []:
        name = re.match(r"[\w.-]+", requirement)
        if name is None or "extra ==" in requirement:
            continue
        try:
            found = version(name[0])
        except PackageNotFoundError:  # uvloop, on a machine that has none
            continue
        if "+" not in found:
            lines.append(f"{name[0]}=={found}")
    return _PINNED + "".join(f"{line}\n" for line in sorted(lines))
