"""The mark that a restore leaves among the artifacts until it is done. No server starts over it, no backup is made."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from trilho.errors import ServiceFailed
from trilho.platform.backup.artifact_store import ArtifactStore, folder_of
from trilho.platform.backup.opening import open_store


@dataclass(frozen=True, kw_only=True)
class Unfinished:
    """A restore that was begun."""

    backup: str  # the name of its file
    sha256: str  # of its manifest
    replaces: bool  # there was something in its place when it began


def begun_in(store: ArtifactStore) -> Unfinished | None:
    """What a restore into `store` left that is not done; None where there is none."""
    text = store.mark()
    if not text:
        return None
    try:
        found = json.loads(text)
        return Unfinished(backup=found["backup"], sha256=found["sha256"], replaces=found.get("replaces", True))
    except (ValueError, TypeError, KeyError, AttributeError):  # cut short: nobody knows of which backup
        return Unfinished(backup="a backup", sha256="", replaces=True)


def begin(store: ArtifactStore, restore: Unfinished) -> None:
    """Leave the mark."""
    store.set_mark(json.dumps(asdict(restore)))


def refuse_unfinished(destination: str) -> None:
    """Nothing, unless a restore into `destination`, a server's artifacts, was begun and not finished.

    Raises:
        ServiceFailed: it was. What a server took in now would stand in the way of the rest of it.
        BackupFailed: the store does not answer.
    """
    if folder_of(destination) is None and not destination.startswith("s3://"):
        return  # no restore goes there
    store = open_store(destination)
    if found := begun_in(store):
        raise ServiceFailed(
            f"A restore of {found.backup} into {store.shown} was begun and not finished.",
            state="Nothing was started.",
            why="Its database may be half filled, or not yet replaced.",
            remedy="Run the same trilho restore again; then start the server.",
        )
