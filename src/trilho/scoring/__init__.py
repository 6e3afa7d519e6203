"""Answering in bulk: a table in, the same table with predictions out, in bounded memory."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilho.scoring.scoring import Progress, Scored, score

__all__ = ["Progress", "Scored", "score"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module("trilho.scoring.scoring"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
