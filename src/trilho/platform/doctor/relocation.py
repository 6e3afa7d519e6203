"""What `trilho doctor --fix` would do: locations that are paths → behind the server, and the files that go with them.

Rows and files are looked at, nothing is changed. An experiment is moved whole, or not at all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trilho.errors import BackupFailed
from trilho.platform.backup.artifact_store import folder_of
from trilho.platform.backup.locations import PROXIED, moves_of
from trilho.platform.backup.tables import connected, sqlite_file
from trilho.platform.database_address import DatabaseAddress, parse_database
from trilho.platform.doctor.local_path import local_path
from trilho.platform.doctor.site import Site

_TRACE = "mlflow.artifactLocation"  # the tag that says where a trace's files are


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """An experiment whose artifacts are at a path, and what becomes of it."""

    id: str
    name: str
    before: str  # "file:///mlruns/artifacts/1"
    after: str  # "mlflow-artifacts:/1"
    runs: int
    files: int
    bytes: int
    lost: str = ""  # a folder of it that is not on this machine: then it stays as it is


@dataclass(frozen=True, kw_only=True)
class Relocation:
    """The whole plan."""

    database: DatabaseAddress
    destination: str
    experiments: tuple[Experiment, ...]
    locations: Mapping[str, str] = field(repr=False)  # before → after, of experiments, runs, models and traces
    folders: Mapping[Path, str] = field(repr=False)  # a folder with files here → its path behind the server

    @property
    def moved(self) -> tuple[Experiment, ...]:
        """The experiments that would be put right."""
        return tuple(found for found in self.experiments if not found.lost)

    @property
    def lost(self) -> tuple[Experiment, ...]:
        """Those that stay, because their files are not on this machine."""
        return tuple(found for found in self.experiments if found.lost)


def plan_relocation(site: Site, *, elsewhere: Mapping[str, str] | None = None) -> Relocation:
    """The plan for the site's database and artifacts, which have to be known: it runs on the server's machine.

    Args:
        elsewhere: Path in the locations → where those files are on this machine ("/mlruns" → "./mlruns"), for a server
            that ran in a container.

    Raises:
        BackupFailed: database or destination is not known, or cannot be used.
    """
    if not site.database or not site.artifacts:
        raise BackupFailed(
            "doctor --fix works on the server's machine, and has to know its database and its artifacts.",
            state="Nothing was changed.",
            remedy="trilho doctor --fix --backend-store-uri sqlite:///mlflow.db --artifacts-destination ./mlartifacts\n"
            "or by MLFLOW_BACKEND_STORE_URI and MLFLOW_ARTIFACTS_DESTINATION.",
        )
    address = sqlite_file(site.sqlite_file) if site.sqlite_file else parse_database(site.database)
    if address.file is not None and not address.file.is_file():
        raise BackupFailed(
            f"There is no database {address.file}.",
            state="Nothing was changed.",
            remedy="Name it: --backend-store-uri sqlite:///FOLDER/mlflow.db (or MLFLOW_BACKEND_STORE_URI).",
        )
    destination = str(site.artifact_folder.resolve()) if site.artifact_folder else site.artifacts
    moves, outside = moves_of(address, destination)
    locations = {move.before: move.after for move in moves if local_path(move.before) is not None}
    places = {found.address: found.path for found in outside if found.address in locations}
    for before, path in _traces(address):
        locations[before] = PROXIED + path
        places[before] = path
    lost, folders = _split(places, site.root, elsewhere or {})
    folders = {folder: path for folder, path in folders.items() if not _is_at(folder, destination, path)}
    kept = {before: after for before, after in locations.items() if _experiment_of(after) not in lost}
    return Relocation(
        database=address,
        destination=destination,
        experiments=tuple(_experiments(address, locations, lost, folders)),
        locations=kept,
        folders={folder: path for folder, path in folders.items() if path.split("/")[0] not in lost},
    )


def files_in(folder: Path) -> Iterator[Path]:
    """The files below `folder`, in an order that does not change."""
    for place, below, names in os.walk(folder):
        below.sort()
        yield from (Path(place, name) for name in sorted(names) if Path(place, name).is_file())


# ---------------------------------------------------------------------------------------------------------------------


def _traces(address: DatabaseAddress) -> Iterator[tuple[str, str]]:
    """Location and future path of each trace whose files are at a path."""
    import sqlalchemy

    with connected(address) as connection:
        if not sqlalchemy.inspect(connection).has_table("trace_info"):
            return
        rows = connection.execute(
            sqlalchemy.text(
                "SELECT t.value, i.experiment_id, i.request_id FROM trace_tags t JOIN trace_info i "
                "ON i.request_id = t.request_id WHERE t.key = :key"
            ),
            {"key": _TRACE},
        ).all()
    for location, experiment, trace in rows:
        if local_path(location) is not None:
            yield location, f"{experiment}/traces/{trace}/artifacts"


def _split(
    places: Mapping[str, str], root: Path, elsewhere: Mapping[str, str]
) -> tuple[dict[str, str], dict[Path, str]]:
    """Experiments of which a folder is not on this machine (id → that folder); and the folders with files.

    A run without artifacts has no folder. It is told from one whose files are elsewhere by the folder of its
    experiment, which is there or not.
    """
    lost: dict[str, str] = {}
    folders: dict[Path, str] = {}
    for location, path in places.items():
        folder = _here(location, root, elsewhere)
        if folder.is_dir():
            folders[folder] = path
            continue
        above = folder
        for _ in path.split("/")[1:]:
            above = above.parent
        if not above.is_dir():
            lost.setdefault(path.split("/")[0], str(local_path(location)))
    return lost, folders


def _here(location: str, root: Path, elsewhere: Mapping[str, str]) -> Path:
    path = folder_of(location) or local_path(location) or Path(location)
    for before, now in elsewhere.items():
        if path.is_relative_to(before):
            return root / now / path.relative_to(before)
    return root / path


def _is_at(folder: Path, destination: str, path: str) -> bool:
    """Whether the files are already where the server will look for them: then rows alone change."""
    there = folder_of(destination)
    return there is not None and (there / path).resolve() == folder.resolve()


def _experiment_of(after: str) -> str:
    return after.removeprefix(PROXIED).split("/")[0]


def _experiments(
    address: DatabaseAddress, locations: Mapping[str, str], lost: Mapping[str, str], folders: Mapping[Path, str]
) -> Iterator[Experiment]:
    """Each experiment of which anything is at a path, in the order of the database."""
    import sqlalchemy

    sizes: dict[str, list[int]] = {}
    for folder, path in folders.items():
        sizes.setdefault(path.split("/")[0], []).extend(file.stat().st_size for file in files_in(folder))
    touched = {_experiment_of(after) for after in locations.values()}
    with connected(address) as connection:
        rows = connection.execute(
            sqlalchemy.text(
                "SELECT e.experiment_id, e.name, e.artifact_location, (SELECT COUNT(*) FROM runs r WHERE "
                "r.experiment_id = e.experiment_id) FROM experiments e ORDER BY e.experiment_id"
            )
        ).all()
    for number, name, location, runs in rows:
        own = str(number)
        if location in locations or own in touched:
            found = sizes.get(own, [])
            yield Experiment(
                id=own,
                name=name,
                before=location,
                after=locations.get(location, location),
                runs=runs,
                files=len(found),
                bytes=sum(found),
                lost=lost.get(own, ""),
            )
