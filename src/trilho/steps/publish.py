"""From the spool to the registry: send a run, make its model a version, and remember which version a package became."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trilho.errors import VersionNotFound
from trilho.project.file import ProjectFile
from trilho.registry import CHAMPION
from trilho.steps.cache import Entry
from trilho.tracking import RUN_KEY, read_header, read_log, send
from trilho.wire import Client

if TYPE_CHECKING:
    from trilho.registry import Version, VersionStore


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """Which version the package of a register step became. `rule` fingerprints the rule it was judged by, "" if not."""

    name: str
    number: int
    digest: str
    run_id: str
    rule: str = ""


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Whether a packed model is still registered: `problem` is why it is not, `version` what the registry has, if it
    was asked."""

    problem: str = ""
    version: Version | None = None


def publish(project: ProjectFile, client: Client, store: VersionStore, folder: Path) -> tuple[str, Receipt | None]:
    """Send the spooled run in `folder`; register its model if it asks for that. Doing so again changes nothing.

    Returns:
        The key of the package and the receipt of its version; "" and None for a run without a model (a failed or
        killed one).

    Raises:
        ServerUnreachable, ServerRefused: publishing again goes on where it stopped.
    """
    sent = send(client, folder)
    wish = next((record for record in read_log(folder) if record["kind"] == "register"), None)
    if wish is None or sent.model is None:
        return "", None
    version = store.create(
        wish["name"],
        source=f"models:/{sent.model.model_id}",
        run_id=sent.run_id,
        model_id=sent.model.model_id,
        tags={RUN_KEY: sent.key, **wish["tags"]},
    )
    receipt = Receipt(
        name=version.name, number=version.number, digest=wish["tags"]["trilho.bundle_sha256"], run_id=sent.run_id
    )
    package = wish["tags"]["trilho.package"]
    write_receipt(project, package, receipt)
    return package, receipt


def belongs_here(project: ProjectFile, folder: Path) -> bool:
    """Was this run made with the profile that the project is loaded with? Another profile has another server."""
    return read_header(folder).tags.get("trilho.profile") == project.profile


def read_receipt(project: ProjectFile, package: str) -> Receipt | None:
    """The version that the package (the key of its register step) became in the registry of this profile."""
    try:
        found: Mapping[str, Any] = json.loads(_file(project, package).read_text(encoding="utf-8"))
        return Receipt(**found)
    except (OSError, ValueError, TypeError):
        return None


def write_receipt(project: ProjectFile, package: str, receipt: Receipt) -> None:
    """Remember which version a package became, whole or not at all."""
    file = _file(project, package)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    fresh.write_text(json.dumps(vars(receipt)), encoding="utf-8")
    fresh.replace(file)


def rule_fingerprint(project: ProjectFile) -> str:
    """Changes with anything in the project file that a verdict depends on."""
    asked = repr((project.evaluate, project.register.promote, project.split.random_state))
    return hashlib.blake2b(asked.encode(), digest_size=8).hexdigest()


def standing(project: ProjectFile, store: VersionStore | None, entry: Entry) -> Standing:
    """Is a packed model still the version it became? One call tells where it is champion, as it mostly is.

    Args:
        store: The registry; without one, what is remembered has to do.

    Raises:
        ServerUnreachable, ServerRefused: it did not say.
    """
    package = entry.folder.name
    receipt = read_receipt(project, package)
    if receipt is None and _spooled(project, package):
        return Standing()
    receipt = receipt or read_receipt(project, package)  # another run may have sent it just now
    if receipt is None:
        return Standing(problem=f"not registered in profile {project.profile} yet")
    if store is None:
        return Standing()
    version = store.by_alias(receipt.name, CHAMPION)
    if version is None or version.number != receipt.number:
        try:
            version = store.get(receipt.name, receipt.number)
        except VersionNotFound:
            return Standing(problem=f"{receipt.name} v{receipt.number} is gone from the registry")
    if version.digest != receipt.digest:
        return Standing(problem=f"{receipt.name} v{receipt.number} is another model now")
    return Standing(version=version)


def _spooled(project: ProjectFile, package: str) -> bool:
    """Is a run with this package waiting to be sent?"""
    for log in (project.state_dir / "spool").glob("*/log.jsonl"):
        for record in read_log(log.parent):
            if record["kind"] == "register" and record["tags"].get("trilho.package") == package:
                return belongs_here(project, log.parent)
    return False


def _file(project: ProjectFile, package: str) -> Path:
    return project.state_dir / "published" / project.profile / f"{package}.json"
