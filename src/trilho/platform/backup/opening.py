"""The store of artifacts that an address means."""

from __future__ import annotations

from trilho.errors import BackupFailed
from trilho.importer import load_module
from trilho.platform.backup.artifact_store import ArtifactStore, folder_of
from trilho.platform.backup.folder import Folder


def open_store(destination: str) -> ArtifactStore:
    """The store at `destination`: a folder, file:///FOLDER, or s3://BUCKET/PREFIX. Nothing is asked yet.

    Raises:
        BackupFailed: it is of another kind.
        MissingExtra: boto3 is not installed.
    """
    folder = folder_of(destination)
    if folder is not None:
        return Folder(folder)
    if destination.startswith("s3://"):
        load_module("boto3")
        from trilho.platform.backup.bucket_store import Bucket

        return Bucket(destination)
    raise BackupFailed(
        f"Artifacts at {destination.partition('://')[0]}:// cannot be copied.",
        state="Nothing was changed.",
        why="trilho copies artifacts in a folder or in S3.",
        remedy="Copy them with the tools of that store; name a folder or s3://BUCKET/PREFIX here.",
    )
