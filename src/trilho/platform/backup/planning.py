"""What a restore is going to do, and what stands in its way. Nothing is written here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from trilho.errors import BackupFailed
from trilho.platform.backup.artifact_store import ArtifactStore
from trilho.platform.backup.dump_tools import tool
from trilho.platform.backup.manifest import Manifest
from trilho.platform.backup.tables import in_use, refuse_others, rows_of
from trilho.platform.backup.unfinished import Unfinished, begun_in
from trilho.platform.database import age
from trilho.platform.database_address import DatabaseAddress


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a restore is going to do; nothing is written yet."""

    file: Path
    manifest: Manifest
    database: DatabaseAddress
    artifacts: str  # the store's address, without secrets
    in_the_way: str  # what is there already: "340 runs"; "" for an empty target
    resumes: bool  # goes on with a restore of this backup that was interrupted
    filled: bool  # that one filled the database, which comes last: what is left is to compare


def plan_for(
    file: Path, manifest: Manifest, sha256: str, address: DatabaseAddress, store: ArtifactStore, *, force: bool
) -> Plan:
    """The plan to restore `file`, whose manifest has that SHA-256.

    A restore that was interrupted is gone on with where its database is still empty, or is the one it filled. Anything
    else that is in the database came from somebody, and is in the way as it is anywhere.

    Args:
        force: Also what a restore has filled is to be replaced.

    Raises:
        BackupFailed: the backup does not fit the database, or another program has its tables there.
    """
    _check_fits(file, manifest, address)
    if address.file is None:
        refuse_others(address, manifest.rows)
    begun = begun_in(store) if _there(store) else None
    ours = begun is not None and begun.sha256 == sha256
    filled = not force and ours and begun is not None and _filled(begun, manifest, address)
    in_the_way = "" if filled else _in_the_way(address, store, begun, ours)
    return Plan(
        file=file,
        manifest=manifest,
        database=address,
        artifacts=store.shown,
        in_the_way=in_the_way,
        resumes=ours and not in_the_way,
        filled=filled,
    )


def occupied(plan: Plan) -> BackupFailed:
    """The error for a target that holds something."""
    return BackupFailed(
        "There is something already where the backup should go.",
        state="Nothing was changed.",
        why=f"{plan.database.shown} and {plan.artifacts} hold {plan.in_the_way}.",
        remedy="Restore into an empty database and an empty place for artifacts. Or replace what is there, which is\n"
        f"backed up first: trilho restore {plan.file} --force",
    )


# ----------------------------------------------------------------------------------------------------------------------


def _check_fits(file: Path, manifest: Manifest, address: DatabaseAddress) -> None:
    kind = manifest.database
    if kind != address.kind and kind != "sqlite":
        raise BackupFailed(
            f"A backup of {kind} cannot become {address.kind}.",
            state="Nothing was changed.",
            why="A database's own dump is read by that kind of database only. A backup of SQLite fits all kinds.",
            remedy=f"Restore it into {kind}: --backend-store-uri {kind}://USER@HOST/DATABASE",
        )
    if age(manifest.schema) == "newer" and kind != address.kind:
        raise BackupFailed(
            f"{file} is of a newer MLflow ({manifest.mlflow}) than the one installed here.",
            state="Nothing was changed.",
            why="To become another kind of database its tables have to be made by MLflow first.",
            remedy=f'pip install "mlflow=={manifest.mlflow}"',
        )
    if kind == address.kind != "sqlite":
        tool(kind, "load")


def _there(store: ArtifactStore) -> bool:
    """False for a bucket that has yet to be made: looking into it would fail."""
    try:
        next(store.files(), None)
    except BackupFailed as error:
        if "NoSuchBucket" in error.why:
            return False
        raise
    return True


def _filled(begun: Unfinished, manifest: Manifest, address: DatabaseAddress) -> bool:
    """Whether the rows are the backup's. As many as it has can be others where there were some before."""
    if begun.replaces:
        return False
    try:
        rows = rows_of(address)
    except BackupFailed:  # it cannot be read: it is in the way
        return False
    return bool(in_use(rows)) and all(rows.get(table) == number for table, number in manifest.rows.items())


def _in_the_way(address: DatabaseAddress, store: ArtifactStore, begun: Unfinished | None, ours: bool) -> str:
    try:
        used = in_use(rows_of(address))
    except BackupFailed as error:
        if address.file is None:
            raise
        return f"a database that cannot be read ({error.why})"
    if begun is not None and not ours:
        return f"an unfinished restore of {begun.backup}"
    return used or ("" if ours else _first_artifact(store))


def _first_artifact(store: ArtifactStore) -> str:
    first = next(store.files(), None) if _there(store) else None
    return f"artifacts, such as {first.path}" if first else ""
