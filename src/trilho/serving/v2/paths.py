"""Paths below /v2, read in one way by who guards them and by who answers them."""

from __future__ import annotations

from trilho.serving.slot import Served

MODELS = "/v2/models/"
_INFER = "/infer"


def plain(path: str) -> str:
    """The path that is meant: clients of this protocol may put a slash behind it."""
    return path.rstrip("/")


def is_infer(path: str) -> bool:
    """Whether the model is asked, where the path is one of the model in charge."""
    return plain(path).endswith(_INFER)


def action(path: str, served: Served) -> str | None:
    """ "", "ready" or "infer"; None if the path is not one of this model and version."""
    path = plain(path)
    for prefix in (f"{MODELS}{served.name}/versions/{served.version}", f"{MODELS}{served.name}"):
        if path in (prefix, f"{prefix}/ready", f"{prefix}{_INFER}"):
            return path[len(prefix) + 1 :]
    return None
