"""The folder that images are built from: Dockerfile, the trilho that runs here, and the versions it runs with."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from importlib.resources import files
from pathlib import Path, PurePosixPath

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from trilho.deploy.folder import Written, write_folder
from trilho.deploy.image.wheel import wheel, wheel_name

DRIVERS = ("pymysql[rsa]", "psycopg2-binary", "boto3", "flask-wtf<2")  # of the team's stores: the Dockerfile's own line
_BUILDING = ("pip", "setuptools", "wheel")  # what builds a package is its own choice
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
    """Exact versions of all that the images install, as far as it is installed here.

    A local build (1.0+cpu) is on no index: left out.
    """
    found: dict[str, str] = {}
    lacking: set[str] = set()
    seen: set[str] = set()
    waiting = [Requirement("trilho"), *map(Requirement, DRIVERS)]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if str(requirement) in seen or name in _BUILDING:
            continue
        seen.add(str(requirement))
        try:
            installed = distribution(name)
        except PackageNotFoundError:
            lacking.add(name)
            continue
        if name != "trilho" and "+" not in installed.version:
            found[name] = installed.version
        for line in installed.requires or ():
            needed = Requirement(line)
            extras = requirement.extras or {""}
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(needed)
    left_out = f"# Not installed there, so the newest: {', '.join(sorted(lacking))}\n" if lacking else ""
    return _PINNED + left_out + "".join(f"{name}=={version}\n" for name, version in sorted(found.items()))
