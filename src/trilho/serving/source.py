"""Which model: what an alias in the registry names, a bundle on disk, or, when nobody answers, the last one served."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

from trilho import bundle, registry
from trilho.bundle.archive import Contents
from trilho.errors import NotRunYet, ServerRefused, ServerUnreachable, TrilhoError
from trilho.wire import Client

SCHEME = "models:/"


@dataclass(frozen=True, kw_only=True)
class Found:
    """A bundle on this disk.

    Args:
        version: The number in the registry; the beginning of the digest for a bundle that no registry named.
        note: Why this is the last one known and perhaps not the newest; "" if the registry was asked.
    """

    path: Path
    name: str
    version: str
    note: str = ""


def find(model: str, *, folder: Path, client: Client | None = None, problem: TrilhoError | None = None) -> Found:
    """The bundle that `model` names, on this disk and checked.

    Args:
        model: "models:/NAME@ALIAS", "models:/NAME/3", "models:/NAME/Production", or the path of a bundle, or of a
            folder that holds one (artifacts/model).
        folder: Where bundles are kept, and which one an alias named last.
        client: A connection to the registry, or None and `problem` that says why there is none.

    Raises:
        VersionNotFound: no such model, version or alias, with near names.
        BundleDamaged: what lies there or arrived is not whole.
        ServerUnreachable, ServerRefused: the registry does not answer, and this model was never here.
        NotRunYet: there is nothing at that path.
    """
    if not model.startswith(SCHEME):
        return _on_disk(Path(model))
    if client is not None:
        try:
            version = registry.resolve(registry.open_store(client), model)
            path = bundle.fetch(client, version, folder / "bundles")
            found = Found(path=path, name=version.name, version=str(version.number))
            _remember(folder, model, found)
            return found
        except (ServerUnreachable, ServerRefused) as error:
            problem = error
    return _last(folder, model, problem)


# ----------------------------------------------------------------------------------------------------------------------


def _on_disk(path: Path) -> Found:
    place = path / "bundle.tar" if (path / "bundle.tar").is_file() else path
    if not place.exists() or (place.is_dir() and not (place / "manifest.json").is_file()):
        raise NotRunYet(
            f"There is no bundle at {path}.",
            remedy="Name a bundle.tar, a folder that holds one (artifacts/model), or models:/NAME@champion.",
        )
    digest = Contents(place).digest()
    return Found(path=place, name=str(bundle.read_metadata(place).get("name", path.stem)), version=digest[:12])


def _last(folder: Path, model: str, problem: TrilhoError | None) -> Found:
    entry = _remembered(folder).get(model)
    if entry is None:
        if problem is not None:
            raise problem
        raise NotRunYet(f"{model} was never served here.", remedy="trilho up, then trilho serve")
    path = folder / "bundles" / entry["path"]
    bundle.verify(path, path.stem)
    note = f"{problem.what if problem else 'The registry was not asked.'} This is the last version known."
    return Found(path=path, name=entry["name"], version=entry["version"], note=note)


def _remembered(folder: Path) -> dict[str, dict[str, str]]:
    try:
        found = json.loads((folder / "last.json").read_text(encoding="utf-8"))
        return found if isinstance(found, dict) else {}
    except (OSError, ValueError):
        return {}


def _remember(folder: Path, model: str, found: Found) -> None:
    entry = {"path": found.path.name, "name": found.name, "version": found.version}
    known = {**_remembered(folder), model: entry}
    fresh = folder / f".last.{os.getpid()}"
    fresh.write_text(json.dumps(known, indent=1), encoding="utf-8")
    fresh.replace(folder / "last.json")
