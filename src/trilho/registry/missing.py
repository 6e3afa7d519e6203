"""What to say when a model, a version or an alias is not there: near names, and what there is."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from trilho.errors import VersionNotFound

_SHOWN = 10


def no_such_model(name: str, names: Iterable[str]) -> VersionNotFound:
    """The error for a model that is not there, with near names."""
    known = sorted(names)
    return VersionNotFound(
        f"There is no model '{name}' in the registry.{_did_you_mean(name, known)}",
        why=f"It holds: {_listed(known)}." if known else "It holds no models yet.",
        remedy="Correct the name (register.name in trilho.yaml), or register a first version: trilho run",
    )


def no_such_version(name: str, number: int, numbers: Iterable[int]) -> VersionNotFound:
    """The error for a version that is not there, with those that are."""
    known = sorted(numbers, reverse=True)
    return VersionNotFound(
        f"{name} has no version {number}.",
        why=f"Its versions, newest first: {_listed(known)}." if known else "It has no versions.",
        remedy=f"Name one of them: models:/{name}/{known[0]}" if known else "Register one: trilho run",
    )


def no_such_alias(name: str, alias: str, aliases: Iterable[str]) -> VersionNotFound:
    """The error for an alias that is not there, with those that are."""
    known = sorted(aliases)
    return VersionNotFound(
        f"{name} has no @{alias}.{_did_you_mean(alias, known)}",
        why=f"Its aliases: {_listed(known)}." if known else "It has no aliases.",
        remedy="Promote a version: trilho promote" if not known else f"Name one of them: models:/{name}@{known[0]}",
    )


def no_such_stage(name: str, stage: str) -> VersionNotFound:
    """The error for a stage that no version has."""
    return VersionNotFound(
        f"No version of {name} has the stage {stage}.",
        why="MLflow's stages follow the champion only where register.stages is on.",
        remedy=f"Name the champion: models:/{name}@champion",
    )


def no_such_uri(uri: str) -> VersionNotFound:
    """The error for a URI that names no version."""
    return VersionNotFound(
        f"'{uri}' does not name a registered version.",
        remedy="Write models:/NAME@champion, models:/NAME/3, models:/NAME/latest or models:/NAME/Production.",
    )


def _did_you_mean(name: str, known: list[str]) -> str:
    lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), lower, n=1)
    return f" Did you mean '{lower[near[0]]}'?" if near else ""


def _listed(known: Iterable[object]) -> str:
    words = [str(each) for each in known]
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more
