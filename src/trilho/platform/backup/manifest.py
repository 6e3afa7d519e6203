"""What a backup says about itself: its last member but one, `manifest.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from trilho.errors import BackupDamaged
from trilho.platform.database_address import Kind

FORMAT = 1


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What people count. Versions are those of models; the events of their histories are rows, too, but no versions."""

    experiments: int = 0
    runs: int = 0
    versions: int = 0
    artifacts: int = 0  # files
    bytes: int = 0  # of the artifacts


@dataclass(frozen=True, kw_only=True)
class Move:
    """An artifact location that leads past the tracking server, and the one behind it that the backup gives instead."""

    before: str  # "file:///home/ana/mlruns/1"
    after: str  # "mlflow-artifacts:/1"


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is in a backup. Members and their SHA-256 are in the member after it, `SHA256SUMS`."""

    made: str  # when the database was copied, ISO 8601, UTC
    trilho: str
    mlflow: str
    database: Kind
    schema: str  # the revision of MLflow's tables
    damaged: bool = False  # the database could not be read, its files are kept as they were
    rows: Mapping[str, int] = field(default_factory=dict)  # table → rows
    counts: Counts = Counts()
    moves: tuple[Move, ...] = ()
    missing: tuple[str, ...] = ()  # models that rows name, whose files were not there
    left_out: tuple[str, ...] = ()  # artifact locations that this machine cannot read
    later: tuple[str, ...] = ()  # artifacts that came, or were changed, after the database was copied

    def to_json(self) -> dict[str, Any]:
        """As it is written."""
        return {"format": FORMAT, **asdict(self)}


def from_json(text: str | bytes, file: object) -> Manifest:
    """The manifest that was written as `text`. Raises BackupDamaged, which names `file`."""
    try:
        values = dict(json.loads(text))
        number = values.pop("format")
        if number == FORMAT:
            moves = tuple(Move(**move) for move in values.pop("moves"))
            values |= {name: tuple(values[name]) for name in ("missing", "left_out", "later")}
            return Manifest(counts=Counts(**values.pop("counts")), moves=moves, **values)
    except (KeyError, TypeError, ValueError) as error:
        raise no_backup(file, f"Its manifest is not understood: {error!r}.") from error
    raise BackupDamaged(
        f"{file} is a backup of format {number}; this trilho reads format {FORMAT}.",
        state="Nothing was changed.",
        remedy="Install the trilho that wrote it, or a newer one: pip install --upgrade trilho",
    )


def no_backup(file: object, why: str) -> BackupDamaged:
    """The error for a file that somebody else wrote."""
    return BackupDamaged(
        f"{file} is no backup that trilho wrote.",
        state="Nothing was changed.",
        why=why,
        remedy="Name a file that trilho backup wrote.",
    )
