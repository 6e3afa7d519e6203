"""Which model: what an alias in the registry names, what a run logged, a bundle or a plain MLflow model on disk; and,
when nobody answers, the last one that was here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trilho import bundle, registry
from trilho.bundle.archive import Contents
from trilho.errors import NotRunYet, ServerRefused, ServerUnreachable, TrilhoError, VersionNotFound
from trilho.serving.converting import convert_folder, convert_logged, model_folder
from trilho.serving.pointer import Target
from trilho.serving.shelf import Entry, recall, remember
from trilho.wire import Client, download

if TYPE_CHECKING:
    from trilho.registry import Version

MODELS, RUNS = "models:/", "runs:/"
BUNDLE = "trilho/bundle.tar"
_RUN = re.compile(r"runs:/(?P<run>[^/]+)/(?P<name>.+)")


@dataclass(frozen=True, kw_only=True)
class Trust:
    """What may run here: code that travels with a version, and types besides the vetted ones."""

    code: bool = False
    types: Sequence[str] = ()


@dataclass(frozen=True, kw_only=True)
class Found:
    """A bundle on this disk.

    Args:
        version: The number in the registry; the beginning of the digest for a bundle that no registry named.
        digest: SHA-256 of its archive.
        note: Why this is the last one known and perhaps not the newest; "" if the registry was asked.
    """

    path: Path
    name: str
    version: str
    digest: str = ""
    note: str = ""

    @property
    def target(self) -> Target:
        return Target(path=str(self.path.resolve()), name=self.name, version=self.version, digest=self.digest)


def is_on_server(model: str) -> bool:
    """Is it an address of the tracking server, and not of this disk?"""
    return model.startswith((MODELS, RUNS))


def moves(model: str) -> bool:
    """Can the address lead to another version later? An alias, a stage and "latest" can."""
    return model.startswith(MODELS) and not model.rpartition("/")[2].isdecimal()


def find(
    model: str,
    *,
    folder: Path,
    client: Client | None = None,
    problem: TrilhoError | None = None,
    trust: Trust = Trust(),
) -> Found:
    """The bundle that `model` names, on this disk and checked.

    Args:
        model: "models:/NAME@ALIAS", "models:/NAME/3", "models:/NAME/Production", "runs:/ID/model", or the path of a
            bundle, of a folder that holds one (artifacts/model), or of a folder with a model of plain MLflow.
        folder: Where bundles are kept, and which one an address led to last.
        client: A connection to the registry, or None and `problem` that says why there is none.
        trust: For models that plain MLflow logged, which are bundled here first.

    Raises:
        VersionNotFound: no such model, version or alias, with near names.
        BundleDamaged: what lies there or arrived is not whole.
        BadData, UntrustedModel: a model of plain MLflow that cannot be bundled.
        ServerUnreachable, ServerRefused: the registry does not answer, and this model was never here.
        NotRunYet: there is nothing at that path.
    """
    if not is_on_server(model):
        return on_disk(Path(model), folder=folder, trust=trust)
    if client is not None:
        try:
            found = look_up(client, model, folder=folder, trust=trust)
        except (ServerUnreachable, ServerRefused) as error:
            problem = error
        else:
            keep_in_mind(folder, model, found.target)
            return found
    return last_known(model, folder=folder, problem=problem)


def on_disk(path: Path, *, folder: Path, trust: Trust) -> Found:
    """The bundle at a path. Raises NotRunYet, BundleDamaged, BadData, UntrustedModel."""
    place = path / "bundle.tar" if (path / "bundle.tar").is_file() else path
    if not place.is_file() and not (place / "manifest.json").is_file():
        logged = model_folder(path)
        if logged is None:
            raise NotRunYet(
                f"There is no bundle at {path}, and no model of MLflow.",
                remedy="Name a bundle.tar, a folder that holds one or an MLmodel (artifacts/model), or "
                "models:/NAME@champion.",
            )
        place = convert_folder(logged, folder / "converted", trust_code=trust.code, trusted=trust.types)
    return _unnamed(place, path.stem)


def look_up(client: Client, model: str, *, folder: Path, trust: Trust) -> Found:
    """What an address of the tracking server leads to now, fetched. Raises as `find`, of what concerns servers."""
    if model.startswith(RUNS):
        return _of_run(client, model, folder, trust)
    return fetch(client, registry.resolve(registry.open_store(client), model), folder=folder, trust=trust)


def fetch(client: Client, version: Version, *, folder: Path, trust: Trust) -> Found:
    """A version's bundle on this disk; made here where plain MLflow registered the version."""
    number = str(version.number)
    if not version.digest:
        uri = f"{MODELS}{version.name}/{number}"
        path = folder / "converted" / f"{version.model_id or f'{version.name}-{number}'}.tar"
        if not path.exists():
            _convert(client, uri, path, version.name, trust)
        return Found(path=path, name=version.name, version=number, digest=Contents(path).digest())
    path = bundle.fetch(client, version, folder / "bundles")
    return Found(path=path, name=version.name, version=number, digest=version.digest)


def last_known(model: str, *, folder: Path, problem: TrilhoError | None) -> Found:
    """What an address led to when it was asked last, checked again.

    Raises:
        BundleDamaged: it was altered since.
        TrilhoError: `problem`, or NotRunYet, where it was never asked.
    """
    entry = recall(folder, model)
    if entry is None:
        if problem is not None:
            raise problem
        raise NotRunYet(f"{model} was never served here.", remedy="trilho up, then trilho serve")
    path = folder / entry.path
    bundle.verify(path, entry.digest or (path.stem if path.parent.name == "bundles" else ""))
    note = f"{problem.what if problem else 'The registry was not asked.'} This is the last version known."
    digest = entry.digest or Contents(path).digest()
    return Found(path=path, name=entry.name, version=entry.version, digest=digest, note=note)


def keep_in_mind(folder: Path, model: str, target: Target) -> None:
    """Write down what an address led to, for a start without a registry."""
    path = Path(target.path)
    if path.is_relative_to(folder.resolve()):
        place = path.relative_to(folder.resolve()).as_posix()
        remember(folder, model, Entry(path=place, name=target.name, version=target.version, digest=target.digest))


# ----------------------------------------------------------------------------------------------------------------------


def _of_run(client: Client, model: str, folder: Path, trust: Trust) -> Found:
    parts = _RUN.fullmatch(model)
    if parts is None:
        raise VersionNotFound(f"'{model}' names no logged model.", remedy="Write it as runs:/RUN_ID/model")
    logged = _logged(client, parts["run"], parts["name"], model)
    path = folder / "bundles" / f"{logged['model_id']}.tar"
    if not path.exists():
        try:
            download(client, logged["artifact_uri"], BUNDLE, path)
        except ServerRefused as error:
            if error.status != 404:
                raise
            _convert(client, model, path, logged["name"], trust)  # logged by plain MLflow
    return _unnamed(path, parts["name"])


def _unnamed(path: Path, otherwise: str) -> Found:
    """A bundle that no registry named: by its own metadata, read here without what `bundle.read_metadata` imports."""
    contents = Contents(path)
    digest = contents.digest()
    name = json.loads(contents.read("metadata.json")).get("name", otherwise)
    return Found(path=path, name=str(name), version=digest[:12], digest=digest)


def _logged(client: Client, run: str, name: str, model: str) -> dict[str, Any]:
    """What the server says about the model of that name that a run logged; the newest, if there are several."""
    try:
        outputs = client.get("runs/get", {"run_id": run})["run"].get("outputs", {}).get("model_outputs", ())
        found = [client.get(f"logged-models/{each['model_id']}")["model"]["info"] for each in outputs]
    except ServerRefused as error:
        if error.status != 404:
            raise
        found = []
    named = [each for each in found if each.get("name") == name]
    if not named:
        have = ", ".join(f"{RUNS}{run}/{each['name']}" for each in found)
        raise VersionNotFound(
            f"There is no model at {model}.",
            why=f"The run logged: {have}." if have else "There is no such run, or it logged no model.",
            remedy="Name a logged model: runs:/RUN_ID/model. The runs are on MLflow's page: trilho ui",
        )
    chosen: dict[str, Any] = named[-1]
    return chosen


def _convert(client: Client, uri: str, path: Path, name: str, trust: Trust) -> None:
    convert_logged(uri, client.address.shown, path, name=name, trust_code=trust.code, trusted=trust.types)
