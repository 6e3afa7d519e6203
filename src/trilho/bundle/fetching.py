"""From the registry to this disk: one file, verified before it takes its place."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from trilho.bundle.archive import verify
from trilho.errors import BundleDamaged
from trilho.wire import download

if TYPE_CHECKING:
    from trilho.wire import Client


class Shipped(Protocol):
    """What a version says about its bundle (`registry.Version`, which this room does not know)."""

    @property
    def artifact_root(self) -> str: ...
    @property
    def bundle_path(self) -> str: ...
    @property
    def digest(self) -> str: ...


def fetch(client: Client, version: Shipped, to: Path) -> Path:
    """The version's bundle as a file in the folder `to`, named by its digest. One that is there already is used.

    Raises:
        BundleDamaged: what arrived is not what the version says, or the version says nothing.
        ServerUnreachable, ServerRefused: it could not be had.
    """
    if not version.digest:
        raise BundleDamaged(
            "The version has no bundle.",
            why="It was registered by something else than trilho.",
            remedy="Bundle its model: trilho register runs:/RUN_ID/model",
        )
    target = to / f"{version.digest}.tar"
    if target.exists():
        try:
            verify(target, version.digest)
        except BundleDamaged:
            target.unlink(missing_ok=True)  # damaged on this disk: fetched anew
        else:
            return target
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=to, prefix=".fetch-") as folder:
        incoming = Path(folder) / "bundle.tar"
        download(client, version.artifact_root, version.bundle_path, incoming)
        verify(incoming, version.digest)
        incoming.replace(target)
    return target
