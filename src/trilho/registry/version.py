"""A version of a model that was accepted into the registry, and the events that moved the champion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

CHAMPION, CHALLENGER, PREVIOUS = "champion", "challenger", "previous"
PRODUCTION = "Production"

# Tags of a version. What carries none of them was registered by plain MLflow and is as good.
RUN_KEY_TAG = "trilho.run_key"
DIGEST_TAG = "trilho.bundle_sha256"
BUNDLE_PATH_TAG = "trilho.bundle_path"

Kind = Literal["promoted", "rolled back", "refused", "adopted", "retraining"]


@dataclass(frozen=True, kw_only=True)
class Version:
    """One registered version.

    Args:
        digest: SHA-256 of the bundle's archive, hexadecimal; "" for versions that have none.
        bundle_path: Where the archive lies, a path under the version's artifacts ("trilho/bundle.tar").
        artifact_root: The version's artifact URI ("mlflow-artifacts:/1/models/m-…/artifacts"); "" where it was not
            asked for: an answer to `by_alias` or `versions` has none, one to `get` has it.
        created: Seconds since 1970, UTC, by the server's clock.
        stage: MLflow's old stage: None, Staging, Production or Archived.
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
    stage: str = "None"


@dataclass(frozen=True, kw_only=True)
class Event:
    """One line of a model's history: somebody moved the champion, was refused, or is training again.

    "adopted" is what trilho writes when it finds that the alias was moved by other means (MLflow's page or client).
    "retraining" claims the work for whoever writes it, so that others leave it alone (claiming.py); it moves nothing.
    """

    number: int = 0  # given by the registry; unique and growing
    kind: Kind
    before: int | None  # champion before
    after: int | None  # champion after; for refused: the version refused; for retraining: none
    who: str
    when: float  # seconds since 1970, UTC
    why: str
    forced: bool = False
    verdicts: str = "[]"  # JSON list of verdicts
    stages: bool = False  # MLflow's old stage follows the champion
    valid: bool = True  # False: `before` was not the champion at that point of the log, so nothing was moved
    # Of a retraining:
    follows: int = 0  # number of the claim before it; it is valid if that is the last valid one, 0: if there is none
    resumes: int = 0  # number of the claim that began what this one goes on with, whose holder fell silent
    outcome: str = ""  # what came of it; "" while it is at work
