"""What `trilho doctor --fix` would do: locations that are paths → behind the server, and the files that go with them.

Rows and files are looked at, nothing is changed. A location goes if its files are here and can be read, all of them.
Others stay as they are: what is in their rows is the only thing that leads to files on somebody else's machine.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from trilho.errors import BackupFailed
from trilho.platform.backup.artifact_store import folder_of
from trilho.platform.backup.files_below import files_below
from trilho.platform.backup.locations import moves_of
from trilho.platform.backup.tables import connected, sqlite_file
from trilho.platform.database_address import DatabaseAddress, parse_database
from trilho.platform.doctor.local_path import local_path
from trilho.platform.doctor.places import Place, places_of
from trilho.platform.doctor.site import Site


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """An experiment with anything at a path, and what becomes of it."""

    id: str
    name: str
    before: str  # "file:///mlruns/artifacts/1"
    after: str  # "mlflow-artifacts:/1", or the same where it stays
    moved: bool  # whether anything of it goes behind the server
    runs: int
    files: int  # that would be copied
    bytes: int
    without_files: tuple[Place, ...] = ()  # these stay: no file is there on this machine
    unreadable: tuple[str, ...] = ()  # these stay: folder, and why it cannot be read


@dataclass(frozen=True, kw_only=True)
class Relocation:
    """The whole plan."""

    database: DatabaseAddress
    destination: str
    experiments: tuple[Experiment, ...]
    locations: Mapping[str, str] = field(repr=False)  # before → after; to itself, where it stays and one above it goes
    folders: tuple[tuple[Path, str], ...] = field(repr=False)  # a folder with files, its path behind the server

    @property
    def moved(self) -> tuple[Experiment, ...]:
        """The experiments of which something would be put right."""
        return tuple(found for found in self.experiments if found.moved)

    @property
    def staying(self) -> tuple[Experiment, ...]:
        """Those of which something stays, because its files are not here, or cannot be read."""
        return tuple(found for found in self.experiments if found.without_files or found.unreadable)


def plan_relocation(
    site: Site, *, elsewhere: Mapping[str, str] | None = None, without_files: bool = False
) -> Relocation:
    """The plan for the site's database and artifacts, which have to be known: it runs on the server's machine.

    Args:
        elsewhere: Path in the locations → where those files are on this machine ("/mlruns" → "./mlruns"), for a server
            that ran in a container.
        without_files: Locations without a file here go, too: who says so knows that there are none, or that they are
            lost.

    Raises:
        BackupFailed: database or destination is not known, or cannot be used.
    """
    address, destination = _whereabouts(site)
    moves = {
        move.before: move.after for move in moves_of(address, destination)[0] if local_path(move.before) is not None
    }
    held: dict[str, list[_Held]] = {}
    for place in places_of(address, moves):
        held.setdefault(place.experiment, []).append(_look(place, _here(place.before, site.root, elsewhere or {})))
    experiments: list[Experiment] = []
    folders: list[tuple[Path, str]] = []
    locations: dict[str, str] = {}
    for number, name, before, runs in _experiments(address):
        own = held.get(number, [])
        if before not in moves and not own:
            continue
        going = [found for found in own if not found.problem and (found.has_all or without_files)]
        if len(going) < len(own) and not any(found.sizes for found in going):
            going = []  # none of its files is here: it is left as it is
        goes = before in moves and (bool(going) or not own)  # without a run, there is nothing to be lost
        locations |= {found.place.before: found.place.before for found in own}
        locations |= {found.place.before: found.place.after for found in going}
        locations |= {before: moves[before] if goes else before} if before in moves else {}
        copied = [found for found in going if found.sizes and not _is_at(found, destination)]
        folders += [(found.folder, found.place.path) for found in copied]
        experiments.append(
            Experiment(
                id=number,
                name=name,
                before=before,
                after=moves[before] if goes else before,
                moved=goes or bool(going),
                runs=runs,
                files=sum(len(found.sizes) for found in copied),
                bytes=sum(sum(found.sizes) for found in copied),
                without_files=tuple(f.place for f in own if not (f.problem or f.has_all or without_files)),
                unreadable=tuple(f"{f.folder}: {f.problem}" for f in own if f.problem),
            )
        )
    return Relocation(
        database=address,
        destination=destination,
        experiments=tuple(experiments),
        locations=locations,
        folders=tuple(folders),
    )


def files_in(folder: Path) -> Iterator[Path]:
    """The files below `folder`, those that links lead to included; links that lead to nothing are none.

    Raises:
        OSError: a folder, or what a link leads to, cannot be looked at.
    """
    return (file for file in files_below(folder) if _is_file(file))


# ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class _Held:
    """What is at a place on this machine."""

    place: Place
    folder: Path
    sizes: tuple[int, ...]  # bytes of each file
    problem: str = ""  # why it cannot be read

    @property
    def has_all(self) -> bool:
        """Whether nothing speaks for files of it on another machine."""
        return bool(self.sizes) or self.place.in_database


def _whereabouts(site: Site) -> tuple[DatabaseAddress, str]:
    """The database, and where the server keeps artifacts."""
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
    return address, str(site.artifact_folder.resolve()) if site.artifact_folder else site.artifacts


def _look(place: Place, folder: Path) -> _Held:
    sizes = []
    try:
        for file in files_in(folder):
            if not os.access(file, os.R_OK):
                raise PermissionError(f"{file.relative_to(folder)} is not readable for this user")
            sizes.append(file.stat().st_size)
    except OSError as error:
        return _Held(place=place, folder=folder, sizes=(), problem=str(error.strerror or error))
    return _Held(place=place, folder=folder, sizes=tuple(sizes))


def _here(location: str, root: Path, elsewhere: Mapping[str, str]) -> Path:
    path = folder_of(location) or local_path(location) or Path(location)
    for before, now in elsewhere.items():
        if path.is_relative_to(before):
            return root / now / path.relative_to(before)
    return root / path


def _is_at(found: _Held, destination: str) -> bool:
    """Whether the files are already where the server will look for them: then rows alone change."""
    there = folder_of(destination)
    return there is not None and (there / found.place.path).resolve() == found.folder.resolve()


def _is_file(path: Path) -> bool:
    """As Path.is_file, but what may not be looked at is no "no"."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except FileNotFoundError:  # gone by now, or a link to nowhere
        return False


def _experiments(address: DatabaseAddress) -> list[tuple[str, str, str, int]]:
    """Id, name, location and number of runs of each."""
    import sqlalchemy

    with connected(address) as connection:
        rows = connection.execute(
            sqlalchemy.text(
                "SELECT e.experiment_id, e.name, e.artifact_location, (SELECT COUNT(*) FROM runs r WHERE "
                "r.experiment_id = e.experiment_id) FROM experiments e ORDER BY e.experiment_id"
            )
        ).all()
    return [(str(row[0]), row[1], row[2] or "", row[3]) for row in rows]
