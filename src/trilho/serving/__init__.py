"""Answering: one process, one model in charge, MLflow's scoring protocol.

source    which model: an alias in the registry, a bundle on disk, the last one that was served
slot      the model in charge, one reference
payload   bytes in, columns out; predictions in, bytes out
app       the routes, and which error is which HTTP status
worker    the app in a server, with its journal
server    the address, and who may reach it
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trilho.serving.server import Listening, listen
    from trilho.serving.slot import Served
    from trilho.serving.source import Found, find
    from trilho.serving.worker import work

_HOME_OF = {
    "Found": "source",
    "Listening": "server",
    "Served": "slot",
    "find": "source",
    "listen": "server",
    "work": "worker",
}

__all__ = ["Found", "Listening", "Served", "find", "listen", "work"]


def __getattr__(name: str) -> Any:
    if name in _HOME_OF:
        return getattr(import_module(f"trilho.serving.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
