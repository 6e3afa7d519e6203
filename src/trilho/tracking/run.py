"""A run as it lies in the spool, and the receipt for one that arrived."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Status = Literal["FINISHED", "FAILED", "KILLED"]
Record = Mapping[str, Any]  # one line of the spool's log; its first key says what it is


@dataclass(frozen=True, kw_only=True)
class RunHeader:
    """What is known of a run when it starts. `key` is ours and unique; MLflow's id comes with the sending."""

    key: str
    name: str
    experiment: str
    started: int  # milliseconds since 1970, UTC
    user: str
    tags: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class SentModel:
    """A logged model on the server."""

    model_id: str
    artifact_root: str


@dataclass(frozen=True, kw_only=True)
class SentRun:
    """A run that is on the server, whole."""

    key: str
    run_id: str
    experiment_id: str
    model: SentModel | None = None
