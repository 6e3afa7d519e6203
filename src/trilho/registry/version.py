"""A version of a model that was accepted into the registry, and the events that moved the champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"


@dataclass(frozen=True, kw_only=True)
class Version:
    """One registered version.

    Args:
        digest: SHA-256 of the bundle's archive, hexadecimal; "" for versions that have none.
        bundle_path: Where the archive lies, a path under the version's artifacts ("trilho/bundle.tar").
        artifact_root: The version's artifact URI ("mlflow-artifacts:/1/models/m-…/artifacts").
        created: Seconds since 1970, UTC.
    """

    name: str
    number: int
    run_id: str = ""
    model_id: str = ""
    digest: str = ""
    bundle_path: str = "trilho/bundle.tar"
    artifact_root: str = ""
    created: float = 0.0
    aliases: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of a model's history: somebody moved the champion, or was refused.

    An event is void when its `before` is not the champion at that point of the log; its author must judge again.
    """

    number: int = 0  # given by the registry; unique and growing
    kind: Literal["promoted", "rolled back", "refused", "adopted"]
    before: int | None  # champion before
    after: int | None  # champion after; for refused: the version refused
    who: str
    when: float  # seconds since 1970, UTC
    why: str
    forced: bool = False
    verdicts: str = "[]"  # JSON list of verdicts
